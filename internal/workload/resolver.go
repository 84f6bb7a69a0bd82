// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"cmp"
	"slices"
	"time"

	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/scan"
)

const (
	// dutyCycle bounds what walks cost: after each step there is a pause of so
	// many times its duration, so that each takes 2 % of the time at most.
	dutyCycle = 50
	// retryMissing is the pause until a cgroup that a walk did not find is looked
	// for again.
	retryMissing = time.Minute
	// renewV1 is how often paths in a v1 hierarchy are read again: there alone a
	// cgroup can be renamed (kernel/cgroup/cgroup-v1.c), and keeps its ID.
	renewV1 = time.Minute
	// retryLogs is the longest pause between two looks for a container's name.
	retryLogs = time.Minute
)

// Options are how a [Resolver] works. The zero value means the defaults.
type Options struct {
	// ProcFS is where the host's proc file system is mounted; "/proc" if empty.
	ProcFS string
	// CgroupFS is where cgroup hierarchies are mounted; "/sys/fs/cgroup" if empty.
	CgroupFS string
	// Logs is the directory of container logs, DefaultLogs if empty, and PodLogs that
	// of pods, DefaultPodLogs if empty.
	Logs, PodLogs string
	// Runtimes are the units below which there are containers; those that
	// landlockd knows if it is the zero value.
	Runtimes RuntimeUnits
	// NoFold keeps names as they are.
	NoFold bool
}

// Resolver names the workloads of snapshots. It keeps what it found from one
// snapshot to the next: as long as no process is in a cgroup that is new, it makes
// no system call. It is not safe for concurrent use.
//
// Where only the v2 hierarchy names processes, that one decides. On other hosts it is
// the v1 hierarchy that does (see package cgroupfs); where a process is in no cgroup
// there, or was moved from its unit to another one, v2 decides.
type Resolver struct {
	o Options
	// v2 is mounted in the place of all others, or beside them ("hybrid"). v1 is that of
	// them that names processes: systemd's, where it has one.
	v2, v1 cgroups
	// unified reports whether v2 alone names processes, whatever else is mounted.
	unified bool
	// legacy reports whether v1 does where its path is more than "/". If it cannot be
	// read, a process at the root of v2 may be anywhere.
	legacy bool
	table  table
	// unresolved stands for every cgroup whose path was not found.
	unresolved *cgroup

	scan    uint64 // number of the current one
	now     time.Time
	uptime  time.Duration
	clock   func() time.Time
	pending bool // some process is in a cgroup that has not been looked for
	unnamed bool // some container may be given a name
	// open: some process is in a cgroup whose path, or whose container's name, is not known, so
	// that time alone may bring it.
	open bool
	last scan.Identity // of the last snapshot

	nextWalk time.Time // no walk before
	nextDeep time.Time // no second step of one before
	renew    time.Time // when to walk even if nothing is wanted
	nextLogs time.Time // no look at the logs before
}

// Open returns a resolver. It does not fail: where cgroups cannot be seen,
// executables give the names. See [Resolver.Limits].
func Open(o Options) *Resolver {
	o.ProcFS, o.CgroupFS = cmp.Or(o.ProcFS, "/proc"), cmp.Or(o.CgroupFS, "/sys/fs/cgroup")
	o.Logs, o.PodLogs = cmp.Or(o.Logs, DefaultLogs), cmp.Or(o.PodLogs, DefaultPodLogs)
	return newResolver(o, cgroupfs.Find(o.ProcFS, o.CgroupFS))
}

func newResolver(o Options, host cgroupfs.Host) *Resolver {
	if o.Runtimes.names == nil {
		o.Runtimes, _ = NewRuntimeUnits()
	}
	return &Resolver{
		o: o, v2: openCgroups(host.V2), v1: openCgroups(host.V1.Dir),
		unified: host.Unified, legacy: host.Legacy,
		clock: time.Now, unresolved: newCgroup(), table: table{fold: !o.NoFold},
	}
}

// Limits returns in words what keeps cgroups from being found on this host; empty if
// nothing does.
func (r *Resolver) Limits() string {
	switch {
	case r.v2.root < 0 && r.v1.root < 0:
		return "no cgroup hierarchy that names processes is mounted at " + r.o.CgroupFS
	case r.legacy && r.v1.root < 0:
		return "none of the v1 cgroup hierarchies that name processes here can be read at " +
			r.o.CgroupFS
	case r.v2.part || r.v1.part:
		return "only a part of the cgroups is mounted at " + r.o.CgroupFS +
			", as in a cgroup namespace"
	default:
		return ""
	}
}

func (r *Resolver) both() [2]*cgroups { return [...]*cgroups{&r.v2, &r.v1} }

// Close releases what the resolver holds. Names are then of executables.
func (r *Resolver) Close() {
	r.v2.close()
	r.v1.close()
}

// Assign sets Workloads of a snapshot, and Workload of each of its processes. The
// snapshot must not have been published yet. What it sets as Workloads it may set
// in the next snapshot too.
func (r *Resolver) Assign(s *scan.Snapshot) {
	r.now, r.uptime = r.clock(), s.Uptime
	if r.last.Is(s) && !r.open && !r.due() {
		return // it has them already
	}
	s.Own()
	defer func() { r.last = s.Identity() }()
	r.scan++
	for _, in := range r.both() {
		// Not where only a part is mounted, unless the source sees only a part of the
		// processes too: then the part is all there is to see. Otherwise the names at its
		// root would be taken for units of the host.
		in.seen = in.root >= 0 && (!in.part || s.Source.PIDNS == "nested")
	}
	r.find(s)
	if r.due() {
		r.walkAll()
		r.find(s)
	}
	if r.unnamed && !r.now.Before(r.nextLogs) {
		r.nameContainers()
		r.find(s)
	}
	if r.table.wasteful(len(s.Processes)) {
		r.forget()
		r.find(s)
	}
	if r.table.publish() {
		r.find(s)
	}
	s.Workloads = r.table.published
	r.v2.sweep(r.scan, &r.table)
	r.v1.sweep(r.scan, &r.table)
}

// due reports whether to walk: paths are wanted, or are to be renewed.
func (r *Resolver) due() bool {
	renew := r.v1.seen && len(r.v1.byID) > 0 && !r.now.Before(r.renew)
	return (r.pending || renew) && !r.now.Before(r.nextWalk)
}

// find sets Workload of each process, to -1 if its workload is not published yet.
func (r *Resolver) find(s *scan.Snapshot) {
	r.pending, r.unnamed, r.open = false, false, false
	r.table.begin()
	for i := range s.Processes {
		p := &s.Processes[i]
		v1 := p.CgroupV1ID
		if r.unified {
			v1 = 0
		}
		known, ok := r.v1.rows[v1]
		if ok = ok && known.v2 == p.CgroupID; !ok && v1 <= rootID {
			known, ok = r.v2.rows[p.CgroupID]
		}
		if !ok {
			known.row = r.findRow(p, v1)
		}
		p.Workload = r.table.use(known.row)
	}
}

// findRow returns the number of a process's row.
func (r *Resolver) findRow(p *scan.Process, v1 uint64) int32 {
	in, id := r.deciding(p.CgroupID, v1)
	c := r.unresolved
	if in != nil {
		c = in.byID[id]
	}
	if c.awaitsName {
		r.open = true
		c.isOlderThan(p, r.uptime, r.now)
		r.unnamed = r.unnamed || !r.now.Before(c.retry)
	}
	exe := p.Exe
	if p.ExeCut {
		exe = "" // its last part is not known
	}
	row := r.table.row(c, exe)
	if c.row >= 0 {
		in.rows[id] = knownRow{row, p.CgroupID}
	}
	return row
}

// deciding returns which of a process's two cgroups decides, and its hierarchy;
// nil if that is not known, because a path is not.
func (r *Resolver) deciding(v2, v1 uint64) (*cgroups, uint64) {
	switch r.decide(v2, v1, r.lookUp(&r.v1, v1), func() *Facts { return r.lookUp(&r.v2, v2) }) {
	case byV1:
		return &r.v1, v1
	case byV2:
		return &r.v2, v2
	default:
		return nil, 0
	}
}

// hierarchy is which of a process's cgroups decides; the zero value if that is not known.
type hierarchy uint8

const (
	byV1 hierarchy = 1 + iota
	byV2
)

// decide returns which of two cgroups decides, by their IDs and what their paths show: no path,
// if it is not known. of2 is called only where it matters.
func (r *Resolver) decide(v2, v1 uint64, of1 *Facts, of2 func() *Facts) hierarchy {
	inV1 := of1.Cgroup != "" && of1.Cgroup != "/"
	if inV1 && !of1.isInUnit() {
		return byV1
	}
	in2 := of2()
	switch {
	case inV1 && !r.wasMoved(in2, of1):
		return byV1
	case in2.Cgroup == "/" && of1.Cgroup == "" && (v1 != 0 || r.legacy):
		return 0 // in some cgroup of v1's
	case in2.Cgroup != "":
		return byV2
	case of1.Cgroup != "" && v2 == 0:
		return byV1
	default:
		return 0
	}
}

// wasMoved reports whether a process is in different units in the two hierarchies.
// systemd, which keeps both alike, did not put it where it is in v1 then. In v1 users
// move their processes from anywhere to cgroups that were delegated to them; in v2
// what is above both would have to be delegated, too.
func (r *Resolver) wasMoved(of2, of1 *Facts) bool {
	return of2.isInUnit() && of2.Unit != of1.Unit && !r.o.Runtimes.has(of2.Unit)
}

// lookUp returns what the path of a cgroup shows: none, if it is not known or there is none.
func (r *Resolver) lookUp(in *cgroups, id uint64) *Facts {
	if id == 0 {
		return &r.unresolved.facts
	}
	c := in.get(id, r.now)
	c.used = r.scan
	r.pending = r.pending || in.seen && c.lacksPath(r.now)
	r.open = r.open || in.seen && c.facts.Cgroup == ""
	return &c.facts
}

// walkAll looks for the paths of all cgroups that are kept. It takes the
// second step only if the first does not find all, and as often as that one may.
func (r *Resolver) walkAll() {
	began := r.clock()
	var walks []*walk
	for _, in := range r.both() {
		if in.seen {
			walks = append(walks, newWalk(in, r.o.Runtimes))
		}
	}
	for _, w := range walks {
		w.step(false)
	}
	middle := r.clock()
	r.nextWalk = pause(began, middle)
	lacks := func(w *walk) bool { return w.in.lacks(r.now) }
	if middle.Before(r.nextDeep) || middle.Before(r.renew) && !slices.ContainsFunc(walks, lacks) {
		return
	}
	for _, w := range walks {
		w.step(true)
		w.in.giveUp(r.now)
	}
	ended := r.clock()
	r.nextDeep, r.renew = pause(middle, ended), ended.Add(renewV1)
}

// pause returns when to do again what took from one time to another.
func pause(began, ended time.Time) time.Time { return ended.Add(dutyCycle * ended.Sub(began)) }

// forget makes the table anew, because most of it is of processes that went.
func (r *Resolver) forget() {
	r.table.clear()
	r.unresolved.clear()
	for _, in := range r.both() {
		clear(in.rows)
		for _, c := range in.byID {
			c.clear()
		}
	}
}
