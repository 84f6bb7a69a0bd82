// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/sandbox"
)

// Told is how much scans said of objects.
type Told struct {
	Places, Doubtful int
	Words            map[string]int
}

func (s Told) String() string {
	return fmt.Sprintf("%d of %d places are in doubt: %v", s.Doubtful, s.Places, s.Words)
}

// Try puts threads into a number of random sandboxes, one after the other, and returns where
// they reached what a source, which resolves the ground, says that they are kept from.
func (g *Ground) Try(source scan.Source, m *Maker, sandboxes int) (told Told, faults []error) {
	m.Dirs, m.Plain = append(g.Dirs(), filepath.Dir(g.Top), "/"), g.Plain()
	around := rand.New(rand.NewPCG(m.Random.Uint64(), 1))
	told.Words = map[string]int{}
	for n := range sandboxes {
		t := trial{ground: g, around: g.Around(around), box: m.Make(1 + n%3)}
		if err := t.run(source, n); err != nil {
			return told, append(faults, fmt.Errorf("sandbox %d with %s: %w", n, t.around.Name, err))
		}
		for i, p := range t.said {
			told.Places++
			if p.Doubt != 0 {
				told.Doubtful++
			}
			for _, word := range p.Doubt.Words() {
				told.Words[word]++
			}
			faults = append(faults, t.faults(i)...)
		}
	}
	return told, faults
}

// trial is one sandbox, what a scan says of it, and what was reached from inside.
type trial struct {
	ground  *Ground
	around  Around
	box     sandbox.Sandbox
	said    []domainid.Place
	reached []access.Rights
}

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
	snap, err := source.Scan(context.Background())
	if err != nil {
		return err
	}
	p := snap.Find(int32(os.Getpid()))
	if p == nil {
		return fmt.Errorf("this process is not in the scan")
	}
	for _, task := range snap.TasksOf(p) {
		if task.TID == r.TID && task.Scene != domainid.NoScene {
			t.said = snap.Scenes[task.Scene-1].Places
		}
	}
	if t.said == nil {
		return fmt.Errorf("thread %d has no scene", r.TID)
	}
	return r.Do(func() error {
		t.reached = t.ground.Reached(t.around.Top, n)
		return nil
	})
}

// before makes what is around, and leaves out rules on what that hides.
func (t *trial) before() error {
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

// faults returns what was reached that is said to be denied, on an object or below it; and
// what was not that is said to be allowed, if nothing is around.
func (t *trial) faults(i int) (faults []error) {
	o, said := &t.ground.Objects[i], t.said[i]
	fault := func(format string, a ...any) {
		faults = append(faults, fmt.Errorf("%s: %s of %+v, by %+v with %s",
			o.Path, fmt.Sprintf(format, a...), said, t.box, t.around.Name))
	}
	had := t.reached[i][access.FS]
	if had&said.Denied.Sure != 0 {
		fault("reached with %#x", had)
	}
	if left := t.ground.tried(o.Kind) &^ said.Denied.May &^ had; t.around.Name == "nothing" && left != 0 {
		fault("not reached with %#x", left)
	}
	for k := range t.ground.Objects {
		// The other name of this one is in no object's directory.
		inside := strings.HasPrefix(t.ground.Objects[k].Path+"/", o.Path+"/") &&
			!strings.HasSuffix(t.ground.Objects[k].Path, "/b/f")
		if had := t.reached[k][access.FS]; inside && had&said.Below.Sure != 0 {
			fault("below, %s was reached with %#x", t.ground.Objects[k].Path, had)
		}
	}
	return faults
}

// tried are the rights that are always tried on an object, whatever others it has.
func (g *Ground) tried(kind domainid.ObjectKind) (mask uint32) {
	names := "fs.read_file fs.write_file fs.truncate"
	if kind == domainid.ObjectDirectory {
		names = "fs.read_dir fs.make_dir fs.make_reg fs.make_fifo fs.make_sock fs.make_sym"
	}
	for _, name := range strings.Fields(names) {
		r, _ := access.Lookup(name)
		mask |= 1 << r.Bit
	}
	return mask
}
