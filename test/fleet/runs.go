// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// addRuns makes up what of a workload ends between two scans: jobs that are shorter than
// any grace, crash loops, restarts without a sandbox. Where Landlock is not enabled, or is
// not to be later, all of it is unsandboxed.
func (u *Unit) addRuns(rng *rand.Rand, kind Kind) {
	if strings.ContainsAny(u.Name, ":/@") {
		return // containers and users stay
	}
	state, n := drawState(rng, kind), 1+rng.IntN(3)
	if kind == Disabled || kind == Losing {
		state = scan.Unsandboxed
	}
	switch what := rng.IntN(6); {
	case u.Name == "cron.service":
		u.Short[scan.Unsandboxed] = 2 + n
	case what == 0:
		u.Runs[scan.Unsandboxed] = n
	case what == 1:
		u.Short[scan.Unsandboxed] = 5 * n
	case what < 5:
		u.Runs[state], u.Short[state] = n, n/2
	}
}

// ended are all runs of the unit between two scans.
func (u *Unit) ended() (c Counts) {
	for state := range c {
		c[state] = u.Runs[state] + u.Short[state]
	}
	return c
}

// ending is a runs.Feed of a host: between two scans, the same ends each time.
type ending struct {
	host *Host
	ages []time.Duration
	pids atomic.Int32
}

const (
	longLife  = time.Hour
	shortLife = 200 * time.Millisecond
)

func (e *ending) Drain() (d runs.Drained, err error) {
	for i := range e.host.Units {
		u := &e.host.Units[i]
		for state := range u.Runs {
			e.add(&d, i, scan.State(state), u.Runs[state], longLife)
			e.add(&d, i, scan.State(state), u.Short[state], shortLife)
		}
	}
	return d, nil
}

// add appends runs, each of which executed the program of the unit first.
func (e *ending) add(d *runs.Drained, unit int, state scan.State, n int, age time.Duration) {
	if n == 0 {
		return
	}
	cgroup := e.host.Units[unit].workload().Cgroup
	key := runs.Key{
		State: state, Exe: "/usr/sbin/daemon", CgroupID: uint64(unit + 2), Cgroup: cgroup,
		CgroupV1ID: uint64(unit + 2), CgroupV1: cgroup, ParentCgroup: "/init.scope",
	}
	switch state {
	case scan.Sandboxed:
		key.Depth, key.Handled = e.host.Depth, e.host.handled()
	case scan.Partial:
		key.Handled = e.host.handled()
	default:
	}
	for _, a := range e.ages {
		if a <= age {
			key.MinAge = a
		}
	}
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) // always there
	last := runs.Last{PID: 1_000_000 + e.pids.Add(1), Start: 1, End: uint64(now.Nano())}
	launch := runs.Key{
		Kind: runs.Launch, State: scan.Unsandboxed, Exe: "/usr/lib/systemd/systemd-executor",
		CgroupID: key.CgroupID, Cgroup: cgroup, CgroupV1ID: key.CgroupV1ID, CgroupV1: cgroup,
	}
	d.Cells = append(d.Cells, runs.Cell{Key: key, Count: uint64(n), Last: last},
		runs.Cell{Key: launch, Count: uint64(n), Last: last})
}

func (e *ending) Ask(ages []time.Duration, _ bool) error {
	e.ages = ages
	return nil
}

func (e *ending) Mark([]runs.Process)      {}
func (e *ending) Filling() <-chan struct{} { return nil }
func (e *ending) Close() error             { return nil }

// RunTruth is what is true of the runs that one rule is about, from one scan to the next.
type RunTruth struct {
	Compliant, Violating, Short, Unknown int
	// Broken is the number of hosts on which some violate it.
	Broken int
}

func (t *RunTruth) add(o RunTruth) {
	t.Compliant += o.Compliant
	t.Violating += o.Violating
	t.Short += o.Short
	t.Unknown += o.Unknown
	t.Broken += o.Broken
}

// Any reports whether there are runs at all.
func (t RunTruth) Any() bool { return t.Compliant+t.Violating+t.Short+t.Unknown > 0 }

// runs is what docs/rules.md says of what ends on the host.
func (r Rule) runs(h *Host) (t RunTruth) {
	for i := range h.Units {
		u := &h.Units[i]
		if u.Name != r.Workload {
			continue
		}
		for state, n := range u.ended() {
			switch wrong, known := r.ended(h, scan.State(state)); {
			case !known:
				t.Unknown += n
			case wrong:
				t.Violating += u.Runs[state]
				t.Short += u.Short[state]
			default:
				t.Compliant += n
			}
		}
	}
	t.Broken = min(t.Violating, 1)
	return t
}

// ended reports whether a run that ended in a state was not as expected, if that is known.
// What the rules of a sandbox granted is not, where landlockd reads rules: of its rights,
// only signals and abstract sockets can be granted by none.
func (r Rule) ended(h *Host, state scan.State) (wrong, known bool) {
	switch {
	case state == scan.Unknown:
		return false, false
	case state != scan.Sandboxed || r.lacks(h) != "":
		return true, true
	default:
		scoped := h.ABI >= 6 && !h.FilesOnly
		asked := r.Right != "" && h.ABI >= r.Since
		return false, !h.readsRules() || scoped && (!asked || strings.HasPrefix(r.Right, "scope."))
	}
}
