// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/sandbox"
)

// Said is how much scans said of objects and assets, and what that was held against.
type Said struct {
	// Places are objects, and Assets assets, each once for each sandbox; of Doubtful and
	// Unknown not all was known, for the reasons in Words. Late are those of both of which a
	// scan had no time to look at all ways: that is a matter of how busy the host is.
	Places, Doubtful int
	Assets, Unknown  int
	Late             int
	Words            map[string]int
	// Hits are how many sandboxes let each call have success. Unable are those that have
	// none outside of sandboxes, either.
	Hits   map[string]int
	Unable []string
	// Unnoticed are the rights, and the ways past a right, of which a scan could say that
	// they are denied, or closed, and no sandbox would show that they are not.
	Unnoticed []string
}

func (s *Said) String() string {
	return fmt.Sprintf("%d of %d places are in doubt and %d of %d assets unknown, %d more for lack of time: %v; "+
		"%d calls had success, and without a sandbox, too, none: %q", s.Doubtful, s.Places, s.Unknown, s.Assets,
		s.Late, s.Words, len(s.Hits)-len(s.Unable), s.Unable)
}

// Enough returns an error if too little was known, or if faults would not be found.
func (s *Said) Enough() error {
	const most = 20 // one in so many may be unknown
	var errs []error
	if s.Places == 0 || s.Doubtful*most > s.Places || s.Unknown*most > s.Assets ||
		s.Late*10 > 9*(s.Places+s.Assets) {
		errs = append(errs, fmt.Errorf("too many are unknown: %s", s))
	}
	if len(s.Unnoticed) > 0 {
		errs = append(errs, fmt.Errorf("nobody would notice if these were taken for denied: %q", s.Unnoticed))
	}
	return errors.Join(errs...)
}

// Never returns the calls that no sandbox let have success.
func (s *Said) Never() (never []string) {
	for call, hits := range s.Hits {
		if hits == 0 && !slices.Contains(s.Unable, call) {
			never = append(never, call)
		}
	}
	slices.Sort(never)
	return never
}

// Try puts threads into a number of random sandboxes, one after the other, and returns where
// they reached what a source, which resolves the ground, says that they are kept from.
//
// The first sandboxes deny all but one right each: they show of each that a source that takes
// it for denied would be found out.
func (g *Ground) Try(source scan.Source, m *Maker, sandboxes int) (said *Said, faults []error) {
	m.Dirs, m.Plain = append(g.Dirs(), filepath.Dir(g.Top), "/"), g.Plain()
	m.PortChoices = []uint16{0, g.outside.port, lowPort, highPort}
	around := rand.New(rand.NewPCG(m.Random.Uint64(), 1))
	said = &Said{Words: map[string]int{}, Hits: map[string]int{}}
	free := trial{ground: g, around: nothing(g.Top)}
	if err := free.run(nil, sandboxes); err != nil {
		return said, []error{fmt.Errorf("without a sandbox: %w", err)}
	}
	for call, worked := range free.tries.calls {
		if said.Hits[call] = 0; !worked {
			said.Unable = append(said.Unable, call)
		}
	}
	slices.Sort(said.Unable)
	groups := grantedAlone()
	var missed []lie
	for n := range sandboxes {
		t := trial{ground: g, around: nothing(g.Top)}
		if n < len(groups) {
			t.box = m.only(groups[n], g.Top)
		} else {
			t.around, t.box = g.Around(around), m.Make(1+n%3)
		}
		if err := t.run(source, n); err != nil {
			return said, append(faults, fmt.Errorf("sandbox %d with %s: %w", n, t.around.Name, err))
		}
		faults = append(faults, t.faults()...)
		said.add(&t)
		if n == 0 {
			missed = lies(t.snap)
		}
		missed = slices.DeleteFunc(missed, func(l lie) bool {
			return slices.ContainsFunc(t.judge(l.tell(t.snap)), l.isIn)
		})
	}
	for _, l := range missed {
		said.Unnoticed = append(said.Unnoticed, l.name)
	}
	return said, faults
}

// grantedAlone are rights of which the first sandboxes grant one, or few, and no other.
func grantedAlone() (groups [][]access.Right) {
	group := func(names ...string) {
		var rights []access.Right
		for _, name := range names {
			rights = append(rights, named(name))
		}
		groups = append(groups, rights)
	}
	for _, name := range lied() {
		group(name)
	}
	group("fs.remove_dir", "fs.make_dir")
	group("fs.remove_file", "fs.make_reg")
	group("fs.refer", "fs.make_reg", "fs.remove_file")
	group("fs.refer", "fs.remove_dir", "fs.make_dir")
	return groups
}

func (s *Said) add(t *trial) {
	doubt := func(of *int, d domainid.Doubt) {
		if d == domainid.WaysUnread {
			of = &s.Late
		}
		*of++
		for _, word := range d.Words() {
			s.Words[word]++
		}
	}
	for i := range t.ground.Objects {
		if t.ground.Objects[i].Asset >= 0 {
			continue
		}
		s.Places++
		if d := t.said[i].Doubt; d != 0 {
			doubt(&s.Doubtful, d)
		}
	}
	for _, r := range t.snap.Meaning().Reached(t.task.Domain, t.task.Scene) {
		s.Assets++
		if r.Reach == domainid.ReachUnknown {
			doubt(&s.Unknown, r.Doubt)
		}
	}
	for call, worked := range t.tries.calls {
		if worked {
			s.Hits[call]++
		}
	}
}

// trial is one sandbox, what a scan says of it, and what was reached from inside.
type trial struct {
	ground *Ground
	around Around
	box    sandbox.Sandbox
	snap   *scan.Snapshot
	task   scan.Task
	said   []domainid.Place
	tries  *tries
}

// run has a thread in the sandbox try everything, between scans if there is a source.
func (t *trial) run(source scan.Source, n int) error {
	if err := t.ground.Spare(n); err != nil {
		return err
	}
	r, err := SettleIn(t.box, t.before)
	if err != nil {
		return err
	}
	defer r.Leave()
	if err := r.Do(t.around.Behind); err != nil {
		return err
	}
	if source != nil {
		if err := t.scan(source, r.TID); err != nil {
			return err
		}
	}
	return r.Do(func() error {
		t.tries = t.ground.reach(t.around.Top, n)
		return errors.Join(t.tries.broken...)
	})
}

// scan has a source say what the thread is kept from. Where others have many domains there may
// be no time for that in one scan.
func (t *trial) scan(source scan.Source, tid int32) (err error) {
	const scans = 600
	for range scans {
		if t.snap, err = source.Scan(context.Background()); err != nil {
			return err
		}
		p := t.snap.Find(int32(os.Getpid()))
		if p == nil {
			return fmt.Errorf("this process is not in the scan")
		}
		for _, task := range t.snap.TasksOf(p) {
			if task.TID == tid && task.Scene != domainid.NoScene {
				t.task, t.said = task, t.snap.Scenes[task.Scene-1].Places
				return nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("thread %d has no scene in %d scans", tid, scans)
}

// before makes what is around, and leaves out rules on what that hides.
func (t *trial) before() error {
	if err := unix.Setns(t.ground.outside.namespace, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("setns(2): %w", err)
	}
	if err := t.around.Before(); err != nil {
		return err
	}
	for _, l := range t.box {
		maps.DeleteFunc(l.Files, func(path string, _ uint32) bool {
			_, err := os.Stat(path)
			return err != nil
		})
	}
	return nil
}

func (t *trial) judge(snap *scan.Snapshot) []fault {
	return t.ground.judge(snap, t.task, t.tries.hits)
}

// faults returns what was reached that is said to be denied; and what was not that is said to
// be allowed, if nothing is around that may hide it.
func (t *trial) faults() (faults []error) {
	fault := func(format string, a ...any) {
		what := fmt.Sprintf(format, a...)
		faults = append(faults, fmt.Errorf("%s, in %+v with %s", what, t.box, t.around.Name))
	}
	for _, f := range t.judge(t.snap) {
		fault("%s", f.text)
	}
	had := map[access.Right]bool{} // without a way past the right
	on := make([]uint32, len(t.ground.Objects))
	for _, h := range t.tries.hits {
		if h.way == 0 {
			had[h.right] = true
		}
		if h.right.Class == access.FS && !h.replaces {
			on[h.object] |= 1 << h.right.Bit
		}
	}
	for i, p := range t.said {
		o := &t.ground.Objects[i]
		left := tried(o.Kind) &^ p.Denied.May &^ on[i]
		if t.around.Name == "nothing" && o.Asset < 0 && left != 0 {
			fault("%s: not reached with %#x, of %+v", o.Path, left, p)
		}
	}
	for i, r := range t.snap.Meaning().Reached(t.task.Domain, t.task.Scene) {
		a := &t.snap.Assets[i]
		var name string
		switch {
		case a.Signal:
			name = "scope.signal"
		case a.AbstractUnix:
			name = "scope.abstract_unix_socket"
		case a.Connect:
			name = "net.connect_tcp"
		case a.Bind:
			name = "net.bind_tcp"
		default:
			continue
		}
		if r.Reach == domainid.WithinReach && r.Ways == 0 && !had[named(name)] {
			fault("%+v: not reached, of %+v", a, r)
		}
	}
	return faults
}

// tried are the rights that are always tried on an object, whatever others it has.
func tried(kind domainid.ObjectKind) (mask uint32) {
	names := "fs.read_file fs.write_file fs.truncate"
	switch kind {
	case domainid.ObjectDirectory:
		names = "fs.read_dir fs.make_dir fs.make_reg fs.make_char fs.make_block fs.make_fifo " +
			"fs.make_sock fs.make_sym fs.remove_file fs.remove_dir"
	case domainid.ObjectSocket:
		names = "fs.resolve_unix"
	}
	for _, name := range strings.Fields(names) {
		mask |= 1 << named(name).Bit
	}
	return mask
}
