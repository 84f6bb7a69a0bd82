// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/internal/nearest"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// named returns the process whose program or workload has a name. Of several, one that all
// others descend from is meant: a service's main process, and not its workers. The process that
// asks is not meant if another one has the name: it is called as the daemon is.
func named(s *scan.Snapshot, name string, asker int32) (*scan.Process, error) {
	of := map[int32]*scan.Process{}
	for i := range s.Processes {
		if p := &s.Processes[i]; isNamed(s, p, name) {
			of[p.PID] = p
		}
	}
	if len(of) > 1 {
		delete(of, asker)
	}
	var first []int32
	for pid, p := range of {
		if of[p.PPID] == nil {
			first = append(first, pid)
		}
	}
	switch slices.Sort(first); len(first) {
	case 1:
		return of[first[0]], nil
	case 0:
		meant := nearest.Hint(name, harmlessNames(s))
		return nil, fmt.Errorf("no program and no workload that can be seen from here has the name %s%s",
			untrusted.Escape(name, 0, true), cmp.Or(meant, ": landlockd ps lists them; or give a PID"))
	}
	const most = 8
	return nil, fmt.Errorf("%s have the name %s: give the PID of one (%s)",
		plural.Count(len(first), "process"), untrusted.Escape(name, 0, true), plural.First(first, most))
}

// isNamed reports whether a process's program or workload has a name, a unit's with or without
// ".service".
func isNamed(s *scan.Snapshot, p *scan.Process, name string) bool {
	if p.Comm.String() == name || p.Exe != "" && (p.Exe == name || path.Base(p.Exe) == name) {
		return true
	}
	w := s.WorkloadOf(p)
	if w == nil {
		return false
	}
	full := []string{name, name + ".service"}
	return slices.Contains(full, w.FullName) || slices.Contains(full, w.Name)
}

// harmlessNames are those of programs and workloads that may stand in a message.
func harmlessNames(s *scan.Snapshot) (names []string) {
	for i := range s.Processes {
		names = append(names, s.Processes[i].Comm.String())
	}
	for i := range s.Workloads {
		names = append(names, s.Workloads[i].FullName)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return !isHarmless(n) })
}

// maxHints bounds how many words complete a command line.
const maxHints = 1 << 16

// processHints returns words that complete a process: its PIDs and the names of programs. The
// shell evaluates what it is given here, so that any other name is left out.
func processHints(procfs string) []string {
	dir, err := os.Open(procfs)
	if err != nil {
		return nil
	}
	defer dir.Close()
	entries, _ := dir.Readdirnames(maxHints) // what was read is of use
	hints := []string{"self"}
	for _, pid := range entries {
		if _, err := strconv.ParseInt(pid, 10, 32); err != nil {
			continue
		}
		hints = append(hints, pid)
		comm, err := os.ReadFile(path.Join(procfs, pid, "comm"))
		if name := strings.TrimSuffix(string(comm), "\n"); err == nil && isHarmless(name) {
			hints = append(hints, name)
		}
	}
	slices.Sort(hints)
	return slices.Compact(hints)
}

// isHarmless reports whether a name means nothing to a shell, and is no flag.
func isHarmless(name string) bool {
	usual := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("-_.", r)
	}
	return name != "" && name[0] != '-' && strings.IndexFunc(name, func(r rune) bool { return !usual(r) }) < 0
}
