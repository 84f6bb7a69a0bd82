// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// TestNamed: a name means one process, or none.
func TestNamed(t *testing.T) {
	s := &scan.Snapshot{Workloads: []scan.Workload{
		{Name: "web.service", FullName: "web.service"}, {Name: "getty@.service", FullName: "getty@tty1.service"},
	}}
	add := func(pid, parent int32, comm, exe string, workload int32) {
		p := scan.Process{PID: pid, PPID: parent, Exe: exe, Workload: workload}
		copy(p.Comm[:], comm)
		s.Processes = append(s.Processes, p)
	}
	add(10, 1, "nginx", "/usr/sbin/nginx", 0)
	add(11, 10, "nginx", "/usr/sbin/nginx", 0)
	add(12, 11, "worker", "/usr/lib/helper", 0)
	add(20, 1, "sh", "/bin/dash", scan.NoWorkload)
	add(30, 1, "sh", "/bin/dash", scan.NoWorkload)
	add(40, 1, "agetty", "", 1)
	for name, want := range map[string]int32{
		"nginx": 10, "/usr/sbin/nginx": 10, "web": 10, "web.service": 10, "helper": 12, "worker": 12,
		"getty@tty1": 40, "getty@": 40, "sh": 0, "dash": 0, "ng": 0, "": 0,
	} {
		p, err := named(s, name, 0)
		if want == 0 && err == nil || want != 0 && (err != nil || p.PID != want) {
			t.Errorf("%q: %v, %v, want process %d", name, p, err, want)
		}
	}
	if _, err := named(s, "sh", 0); err == nil || err.Error() != "2 processes have the name sh: give the PID of one (20, 30)" {
		t.Error(err)
	}
	if _, err := named(s, "ngnix", 0); err == nil || !strings.HasSuffix(err.Error(), " has the name ngnix: did you mean nginx?") {
		t.Error(err)
	}
	// Who asks is not meant, unless nobody else has the name.
	if p, err := named(s, "sh", 20); err != nil || p.PID != 30 {
		t.Errorf("%v, %v", p, err)
	}
	if p, err := named(s, "agetty", 40); err != nil || p.PID != 40 {
		t.Errorf("%v, %v", p, err)
	}
	add(50, 1, "$(x) ", "", scan.NoWorkload)
	if _, err := named(s, "$(x)", 0); err == nil || strings.Contains(err.Error(), "did you mean") {
		t.Error(err)
	}
	if _, err := named(s, "\x1b[31m", 0); err == nil || strings.ContainsRune(err.Error(), 0x1b) {
		t.Error(err)
	}
}

// TestProcessHints: a shell evaluates what completes its line, and users choose names.
func TestProcessHints(t *testing.T) {
	dir := t.TempDir()
	for pid, comm := range map[string]string{
		"10": "nginx", "11": "nginx", "12": "$(reboot)", "13": "`id`", "14": "a b", "15": "--sockets", "16": "a\nb",
		"17": "kworker/0:1", "x": "nobody", "18": "",
	} {
		if err := os.MkdirAll(filepath.Join(dir, pid), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, pid, "comm"), []byte(comm+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"10", "11", "12", "13", "14", "15", "16", "17", "18", "nginx", "self"}
	if got := processHints(dir); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
