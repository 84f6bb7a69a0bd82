// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// uptime is that of a picture: longer than any grace.
const uptime = 48 * time.Hour

// firstPID is that of a picture's first process: those before it are init and the kernel.
const firstPID = 3

// picture is cells as a scan would have shown a process of each: rules judge it as they judge
// what a scan shows.
type picture struct {
	snap scan.Snapshot
	// parents is how many processes come first that are parents of cells' processes.
	parents int
	cells   []Cell
}

// ended returns it for rules.
func (p *picture) ended() policy.Ended {
	of := func(is func(*Cell) bool) func(int) bool {
		return func(place int) bool { return place >= p.parents && is(&p.cells[place-p.parents]) }
	}
	return policy.Ended{
		Snapshot: &p.snap,
		Launch:   of(func(c *Cell) bool { return c.Kind == Launch }),
		Below:    of(func(c *Cell) bool { return c.Folded }),
	}
}

// workloadOf returns that of a cell.
func (p *picture) workloadOf(cell int) *scan.Workload { return &p.snap.Workloads[p.parents+cell] }

func (t *Tally) picture(cells []Cell) *picture {
	p := &picture{cells: cells, snap: scan.Snapshot{
		Time: t.clock.now(), Uptime: uptime, Kernel: t.kernel,
		Source: scan.SourceInfo{Rules: t.rulesRead, PIDNS: "init"},
	}}
	p.snap.Processes = make([]scan.Process, 0, 2*len(cells))
	p.snap.Workloads = make([]scan.Workload, 0, 2*len(cells))
	add := func(process scan.Process, w scan.Workload) *scan.Process {
		n := int32(len(p.snap.Processes))
		process.PID, process.Workload = firstPID+n, n
		p.snap.Processes = append(p.snap.Processes, process)
		p.snap.Workloads = append(p.snap.Workloads, w)
		return &p.snap.Processes[n]
	}
	parents := map[string]int32{}
	for i := range cells {
		path := cells[i].ParentCgroup
		if _, known := parents[path]; path != "" && !known {
			parents[path] = add(scan.Process{PPID: -1}, t.workload(&scan.Process{}, path, "")).PID
		}
	}
	p.parents = len(p.snap.Processes)
	for i := range cells {
		c := &cells[i]
		process := processOf(c)
		w := t.workloadOfCell(c, &process)
		if pid, known := parents[c.ParentCgroup]; known && w.Cgroup == c.Cgroup {
			if above := &p.snap.Workloads[pid-firstPID]; above.Kind != w.Kind || !byProgram(above) {
				process.PPID = pid
			}
		}
		add(process, w)
	}
	p.snap.ConcludeEnded(func(place int) access.Rights {
		if place < p.parents {
			return access.Rights{}
		}
		return cells[place-p.parents].Handled
	})
	return p
}

// processOf returns a process as it was at the end of a cell's stretch, whose parent is unknown.
func processOf(c *Cell) scan.Process {
	age := min(max(c.MinAge, 0), uptime)
	p := scan.Process{
		PPID: -1, Start: uint64(uptime - age), UID: scan.NoUser,
		CgroupID: c.CgroupID, CgroupV1ID: c.CgroupV1ID, State: c.State & 3,
	}
	if p.State == scan.Sandboxed {
		p.Depth = c.Depth
	}
	if !c.Folded {
		p.Exe, p.ExeCut, p.ExeDeleted, p.ExeOrigin = c.Exe, c.ExeCut, c.ExeDeleted, c.ExeOrigin
		p.UID, p.Comm = c.UID, c.Comm
	}
	return p
}

// workloadOfCell returns the workload that a process of a cell was part of.
func (t *Tally) workloadOfCell(c *Cell, p *scan.Process) scan.Workload {
	w := t.workload(p, c.Cgroup, c.CgroupV1)
	if c.Folded && w.Unit == "" && w.Container == nil { // it may be anywhere below
		w = t.workload(p, "", "")
	}
	return w
}

// workload returns that of a process in some cgroups, with the name that a scan found for a
// container.
func (t *Tally) workload(p *scan.Process, v2, v1 string) scan.Workload {
	if t.o.Resolver == nil {
		return scan.Workload{}
	}
	w := t.o.Resolver.Of(p, v2, v1)
	for _, containers := range t.containers {
		if of := containers[w.Cgroup]; w.Container != nil && of != nil {
			if w.Container = of.Container; of.Container.Name != "" {
				w.Name, w.FullName = of.Name, of.FullName
			}
			break
		}
	}
	return w
}

// noteContainers notes the containers of a snapshot by their cgroups, and keeps those of the
// one before: what ended in them since is counted now.
func (t *Tally) noteContainers(s *scan.Snapshot) {
	t.containers[0], t.containers[1] = nil, t.containers[0]
	for i := range s.Workloads {
		if w := &s.Workloads[i]; w.Container != nil && w.Cgroup != "" {
			if t.containers[0] == nil {
				t.containers[0] = map[string]*scan.Workload{}
			}
			t.containers[0][w.Cgroup] = w
		}
	}
}

// byProgram reports whether a workload has the name of its program.
func byProgram(w *scan.Workload) bool { return w.Naming() == scan.NamedByProgram }
