// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// cgroup is what is known of one cgroup.
type cgroup struct {
	facts  Facts  // without a path as long as it was not found
	used   uint64 // the last scan with a process in it
	sought bool   // a walk has looked for it

	// since is when it was there for certain: when it was first seen, or when a
	// process in it started.
	since time.Time
	// awaitsName: it is a container whose name the logs may give.
	awaitsName bool
	tries      uint8
	// retry is when to look for the path or the name again.
	retry time.Time

	// row is the number of the cgroup's row in the table; -1 if there is none,
	// or one for each executable.
	row int32
	// rows has those by the executable's path, names by its name.
	rows, names map[string]int32
}

func newCgroup() *cgroup { return &cgroup{row: -1} }

func (c *cgroup) setPath(path string, runtimes RuntimeUnits) {
	if path == c.facts.Cgroup {
		return
	}
	c.facts = Parse(path, runtimes)
	c.tries, c.retry = 0, time.Time{}
	c.awaitsName = c.facts.awaitsName()
	c.clear()
}

// isOlderThan notes that a process was in it, which may be older than any look.
func (c *cgroup) isOlderThan(p *scan.Process, uptime time.Duration, now time.Time) {
	if age := uptime - time.Duration(p.Start); age > 0 && age <= uptime {
		if since := now.Add(-age); since.Before(c.since) {
			c.since = since
		}
	}
}

// lacksPath reports whether to look for the path.
func (c *cgroup) lacksPath(now time.Time) bool {
	return c.facts.Cgroup == "" && (!c.sought || !now.Before(c.retry))
}

// name sets what the logs give of the container; nothing if their ID is empty.
func (c *cgroup) name(found scan.Container, now time.Time) {
	if found.ID == "" {
		// The link to the log is made a little later than the container.
		c.retry = now.Add(min(time.Second<<c.tries, retryLogs))
		c.tries = min(c.tries+1, 10)
		return
	}
	c.awaitsName = false
	of := *c.facts.Container // the old one may be in a snapshot
	of.Pod, of.Namespace, of.Name = found.Pod, found.Namespace, found.Name
	of.Unnamed = false
	c.facts.Container = &of
	c.facts.FullName = clean(of.Namespace + "/" + of.Name)
	c.facts.Name = c.facts.FullName
	c.clear()
}

// isUsed reports whether a process is in it in a scan.
func (c *cgroup) isUsed(scan uint64, t *table) bool {
	return c.used == scan || c.row >= 0 && t.isUsed(c.row)
}

// clear forgets the rows.
func (c *cgroup) clear() { c.row, c.rows, c.names = -1, nil, nil }

// slack is how many things that no process needs any more are kept, beyond as many
// as are needed.
const slack = 64

// rootID is the ID of the root of every hierarchy (kernel/cgroup/cgroup.c).
const rootID = 1

// cgroups are those of one hierarchy by their ID. The kernel gives no ID twice.
type cgroups struct {
	root int // a descriptor of where it is mounted; -1 if it is not
	// part reports whether the mount shows only what is below some cgroup, as in a
	// cgroup namespace.
	part bool
	// seen reports whether it has the paths of the current snapshot's processes.
	seen bool

	byID map[uint64]*cgroup
	// rows are the rows of those that the executable does not matter for, which
	// are most: one look is enough for their processes.
	rows map[uint64]knownRow
	// grown reports whether one came since the last sweep.
	grown bool
}

// knownRow is the row of processes that are in a cgroup of v2's, too.
type knownRow struct {
	row int32
	v2  uint64
}

// openCgroups opens a hierarchy by where it is mounted, empty if it is not.
func openCgroups(path string) cgroups {
	in := cgroups{root: -1, byID: map[uint64]*cgroup{}, rows: map[uint64]knownRow{}}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		var st unix.Stat_t
		in.root, in.part = fd, unix.Fstat(fd, &st) != nil || st.Ino != rootID
	}
	return in
}

func (in *cgroups) close() {
	if in.root >= 0 {
		unix.Close(in.root)
	}
	in.root = -1
}

// get returns the cgroup with an ID.
func (in *cgroups) get(id uint64, now time.Time) *cgroup {
	c := in.byID[id]
	if c == nil {
		c = newCgroup()
		c.since = now
		if id == rootID {
			c.setPath("/", RuntimeUnits{})
		}
		in.byID[id], in.grown = c, true
	}
	return c
}

// lacks reports whether a path is to be looked for.
func (in *cgroups) lacks(now time.Time) bool {
	for _, c := range in.byID {
		if c.lacksPath(now) {
			return true
		}
	}
	return false
}

// giveUp notes that all were looked for, and that for a while those that were not
// found are not to be looked for again.
func (in *cgroups) giveUp(now time.Time) {
	for _, c := range in.byID {
		if c.lacksPath(now) {
			c.retry = now.Add(retryMissing)
		}
		c.sought = true
	}
}

// sweep drops cgroups without a process in this scan, once they are many.
func (in *cgroups) sweep(scan uint64, t *table) {
	if !in.grown {
		return
	}
	in.grown = false
	used := 0
	for _, c := range in.byID {
		if c.isUsed(scan, t) {
			used++
		}
	}
	if len(in.byID) <= 2*used+slack {
		return
	}
	for id, c := range in.byID {
		if !c.isUsed(scan, t) {
			delete(in.byID, id)
			delete(in.rows, id)
		}
	}
}
