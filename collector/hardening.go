// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"

	"github.com/landlockd/landlockd/scan"
)

var hardeningMetrics = newTable(func(s *Scrape) *scan.Snapshot {
	if !s.Hardening {
		return nil
	}
	return s.Snapshot
}, []metric[scan.Snapshot]{
	{
		name: "landlock_processes_hardened",
		help: "Processes all of whose tasks have other hardening, by whether they are sandboxed: " +
			"no_new_privs, seccomp in any mode, an effective user other than root, a user " +
			"namespace other than the initial one.",
		labels: []Label{
			{"feature", "`no_new_privs`, `seccomp`, `non_root`, `user_namespace`"},
			{"state", "`sandboxed`, `unsandboxed`, and `partial` where there are such; processes " +
				"in state unknown are not counted"},
		},
		present: "if the scan succeeded, unless `--no-collector.hardening` is given",
		values:  emitHardened,
	},
})

// hardenings are what is found beside sandboxes. It is never written.
var hardenings = [...]string{"no_new_privs", "seccomp", "non_root", "user_namespace"}

// hardened returns which of these all tasks of a process whose state is known have: who takes
// a process over has the weakest of its threads.
func hardened(s *scan.Snapshot, p *scan.Process) [len(hardenings)]bool {
	return [...]bool{
		p.NoNewPrivs == scan.OfAll,
		p.Seccomp == scan.OfAll,
		nonRoot(s, p),
		// The kernel lets no task into another user namespace than its process's.
		p.UserNS != 0 && p.UserNS != scan.InitUserNS,
	}
}

// nonRoot allocates nothing: see Snapshot.UIDs.
func nonRoot(s *scan.Snapshot, p *scan.Process) bool {
	if !p.UIDsDiffer {
		return p.UID != 0
	}
	return !slices.ContainsFunc(s.TasksOf(p), func(t scan.Task) bool { return t.UID == 0 })
}

// byHardening are processes by what they have of hardenings.
type byHardening [len(hardenings)]scan.ByState

func countHardened(s *scan.Snapshot) (n byHardening) {
	for i := range s.Processes {
		p := &s.Processes[i]
		// Of one that may not be read, all facts are missing and not false.
		if p.State == scan.Unknown {
			continue
		}
		for h, has := range hardened(s, p) {
			if has {
				n[h][p.State&3]++
			}
		}
	}
	return n
}

func emitHardened(s *scan.Snapshot, emit emitter) {
	n := scan.CountOnce(s, hardenedKey, countHardened)
	for h, name := range hardenings {
		for _, state := range [...]scan.State{scan.Sandboxed, scan.Partial, scan.Unsandboxed} {
			if n[h].Of(state) > 0 || state != scan.Partial {
				emit(float64(n[h].Of(state)), name, state.String())
			}
		}
	}
}
