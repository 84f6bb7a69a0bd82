// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/rulesets"
)

// TestReach: of 500 random sandboxes, in mount namespaces and with roots of their own,
// nothing that a scan says is denied was reached, by any name and by any call.
func TestReach(t *testing.T) {
	ground, err := rulesets.NewGround(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := openSource(t, Options{})
	if s.state.NoWays != "" {
		t.Fatal(s.state.NoWays)
	}
	s.Resolve(ground)
	m, _ := maker(t, newSite(t))
	m.Dirs, m.Plain = append(ground.Dirs(), filepath.Dir(ground.Top), "/"), ground.Plain()
	around := rand.New(rand.NewPCG(m.Random.Uint64(), 1))
	var places, unknown int
	words := map[string]int{}
	for n := range 500 {
		if err := ground.Spare(n); err != nil {
			t.Fatal(err)
		}
		a := ground.Around(around)
		box := m.Make(1 + n%3)
		r, err := rulesets.SettleIn(box, func() error {
			if err := a.Before(); err != nil {
				return err
			}
			for _, l := range box { // what a mount hides
				maps.DeleteFunc(l.Files, func(path string, _ uint32) bool {
					_, err := os.Stat(path)
					return err != nil
				})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Do(a.Behind); err != nil {
			t.Fatal(err)
		}
		said := placesOfThread(t, mustScan(t, s), r.TID)
		var reached []access.Rights
		_ = r.Do(func() error { reached = ground.Reached(a.Top, n); return nil })
		for i, p := range said {
			places++
			if p.Doubt != 0 {
				unknown++
				for _, word := range p.Doubt.Words() {
					words[word]++
				}
			}
			demandKept(t, ground, r, a, said, reached, i)
		}
		r.Leave()
	}
	t.Logf("%d of %d places are in doubt: %v", unknown, places, words)
	if places == 0 || unknown*20 > places {
		t.Errorf("%d of %d places are in doubt", unknown, places)
	}
}

// demandKept demands that nothing was reached that is said to be denied on an object, or
// below it, and if nothing is around that what is said to be allowed was.
func demandKept(
	t *testing.T, g *rulesets.Ground, r *rulesets.Resident, a rulesets.Around,
	said []domainid.Place, reached []access.Rights, i int,
) {
	t.Helper()
	o := &g.Objects[i]
	if had := reached[i][access.FS] & said[i].Denied.Sure; had != 0 {
		t.Errorf("%s was reached: %#x of %+v, by %+v with %s", o.Path, had, said[i], r.Sandbox, a.Name)
	}
	var tried uint32 = 1<<1 | 1<<2 | 1<<14
	if o.Kind == domainid.ObjectDirectory {
		tried = 1<<3 | 1<<4 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<12
	}
	// A directory that can be removed from alone needs to have something made in it first.
	const removeDir = 1 << 4
	if tried &^= removeDir; a.Name == "nothing" && tried&^said[i].Denied.May&^reached[i][access.FS] != 0 {
		t.Errorf("%s was not reached: %#x of %+v, by %+v", o.Path, reached[i][access.FS], said[i], r.Sandbox)
	}
	for k := range g.Objects {
		inside, err := filepath.Rel(o.Path, g.Objects[k].Path)
		if err != nil || inside == ".." || len(inside) > 2 && inside[:3] == "../" || hasNames(t, g.Objects[k].Path) {
			continue
		}
		if had := reached[k][access.FS] & said[i].Below.Sure; had != 0 {
			t.Errorf("%s, which is below %s, was reached: %#x of %+v, by %+v with %s", g.Objects[k].Path, o.Path,
				had, said[i], r.Sandbox, a.Name)
		}
	}
}

// hasNames reports whether a file has several names.
func hasNames(t *testing.T, path string) bool {
	t.Helper()
	return filepath.Base(path) == "f" && filepath.Base(filepath.Dir(path)) == "b"
}

// placesOfThread returns what a thread of this process is kept from.
func placesOfThread(t *testing.T, snap *scan.Snapshot, tid int32) []domainid.Place {
	t.Helper()
	for _, task := range snap.TasksOf(mustFind(t, snap, int32(os.Getpid()))) {
		if task.TID == tid && task.Scene != domainid.NoScene {
			return snap.Scenes[task.Scene-1].Places
		}
	}
	t.Fatalf("thread %d has no scene", tid)
	return nil
}
