// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"testing"
)

// snapshot is what these tests read of `landlockd once --format=json`.
type snapshot struct {
	Host struct {
		Rights json.RawMessage `json:"rights"`
	} `json:"host"`
	Processes []processJSON `json:"processes"`
}

type processJSON struct {
	PID    int     `json:"pid"`
	PPID   int     `json:"ppid"`
	Comm   string  `json:"comm"`
	Exe    *string `json:"exe"`
	State  string  `json:"state"`
	Depth  *int    `json:"depth"`
	Domain *string `json:"domain"`
	Tasks  []struct {
		TID   int    `json:"tid"`
		State string `json:"state"`
	} `json:"tasks"`
	Threads    int             `json:"threads"`
	Restricted json.RawMessage `json:"restricted"`
}

func takeSnapshot(t *testing.T) snapshot {
	t.Helper()
	p := run(t, "once", "--format=json")
	if code := p.wait(t); code != 0 {
		t.Fatalf("once: exit code %d: %s", code, &p.stderr)
	}
	var s snapshot
	if err := json.Unmarshal([]byte(p.stdout.String()), &s); err != nil {
		t.Fatalf("once --format=json: %v", err)
	}
	return s
}

// find returns a process, or nil.
func (s snapshot) find(pid int) *processJSON {
	for i := range s.Processes {
		if s.Processes[i].PID == pid {
			return &s.Processes[i]
		}
	}
	return nil
}

// child returns the one child of a process with a name, or nil.
func (s snapshot) child(ppid int, comm string) *processJSON {
	for i := range s.Processes {
		if s.Processes[i].PPID == ppid && s.Processes[i].Comm == comm {
			return &s.Processes[i]
		}
	}
	return nil
}

// sandboxedByDepth counts the sandboxed processes.
func (s snapshot) sandboxedByDepth() map[int]int {
	n := map[int]int{}
	for _, p := range s.Processes {
		if p.State == "sandboxed" {
			n[*p.Depth]++
		}
	}
	return n
}

func (p *processJSON) domain() string {
	if p.Domain == nil {
		return ""
	}
	return *p.Domain
}
