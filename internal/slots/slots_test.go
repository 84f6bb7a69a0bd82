// SPDX-License-Identifier: Apache-2.0

package slots

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// bounded are slots and how many there are.
type bounded struct {
	Slots
	limit int
}

func kept(limit int) *bounded { return &bounded{limit: limit} }

// having are the names that have a slot after an assignment, ascending. Names show what
// they are: "u" units of the system, "k" containers of Kubernetes, "m" users' units,
// others executables. An "!" means that a rule is about it, a "+" that it is sandboxed,
// a "~" in front that it is gone, a "-" that it ended and was never seen.
func (b *bounded) having(at time.Duration, names ...string) []string {
	var claims []Claim
	var all []string
	for i, name := range names {
		name, gone := strings.CutPrefix(name, "~")
		name, ended := strings.CutPrefix(name, "-")
		c := Claim{
			Label: name, Index: i, Gone: gone || ended, Ended: ended,
			Ruled: strings.Contains(name, "!"), Sandboxed: strings.Contains(name, "+"),
		}
		switch name[0] {
		case 'u', 'k':
			c.Naming = scan.NamedByHost
		case 'm':
			c.Naming = scan.NamedByUser
		}
		claims, all = append(claims, c), append(all, name)
	}
	for _, c := range b.Assign(time.Unix(1e9, 0).Add(at), b.limit, claims) {
		all[c.Index] = ""
	}
	all = slices.DeleteFunc(all, func(name string) bool { return name == "" })
	slices.Sort(all)
	return all
}

// step is one assignment: who claims, and who has a slot then.
type step struct {
	at        time.Duration
	now, want string
}

func (b *bounded) take(t *testing.T, steps []step) {
	t.Helper()
	for _, c := range steps {
		if got := b.having(c.at, strings.Fields(c.now)...); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%v: %q, want %s", c.at, got, c.want)
		}
	}
}

// numbered are n names with a prefix.
func numbered(prefix string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s%04d", prefix, i))
	}
	return names
}

// At the first scrape all slots are given, by class, by what is sandboxed, by name.
func TestFirstSlots(t *testing.T) {
	names := []string{"a+", "b", "c", "e!", "f!", "m1", "m2+", "k1", "u1", "u2!", "u3+"}
	for limit, last := range strings.Fields("u2! e! u3+ k1 u1 f! m2+ m1 a+ b c") {
		o := kept(limit)
		if before := o.having(0, names...); slices.Contains(before, last) {
			t.Errorf("%d slots: %q, want none for %s", limit, before, last)
		}
		o = kept(limit + 1)
		if got := o.having(0, names...); !slices.Contains(got, last) || len(got) != limit+1 {
			t.Errorf("%d slots: %q, want one for %s", limit+1, got, last)
		}
	}
}

func TestSlotsStay(t *testing.T) {
	kept(3).take(t, []step{
		{0, "b c d", "b c d"},
		{1 * time.Minute, "a+ b c d", "b c d"},             // a new one waits
		{2 * time.Minute, "a+ b", "b"},                     // for an hour
		{30 * time.Minute, "a+ b c", "b c"},                // that one was only restarted
		{59 * time.Minute, "a+ b c d", "b c d"},            // this one, too
		{60 * time.Minute, "a+ c d u1", "c u1"},            // the youngest, by name, yields
		{60 * time.Minute, "a+ c d u1", "c u1"},            // the same snapshot again
		{118 * time.Minute, "a+ c d u1", "c u1"},           // b is still waited for
		{50 * time.Minute, "a+ c d u1", "c u1"},            // a late answer
		{120 * time.Minute, "a+ c d u1", "a+ c u1"},        // and no longer
		{121 * time.Minute, "a+ c d! u1", "a+ c u1"},       // one in an hour
		{180 * time.Minute, "a+ c d! u1", "c d! u1"},       // a rule comes
		{240 * time.Minute, "a+ c d! m1 u1", "d! m1 u1"},   // a user's unit
		{300 * time.Minute, "a+ c d! m1 u1 z", "d! m1 u1"}, // as few as before
	})
}

// What ended and was never seen takes no slot from anybody, gives its own to all others, and
// if users chose its name, to what the host named.
func TestSlotsOfWhatEnded(t *testing.T) {
	kept(3).take(t, []step{
		{0, "a -u1", "a u1"},
		{1 * time.Minute, "a -u1 -u2 -u3", "a u1 u2"},      // there was room for one
		{2 * time.Minute, "a -u1 -u2 u3", "a u1 u3"},       // what runs comes first
		{3 * time.Minute, "a b! -u1 u3", "a b! u3"},        // whatever its name
		{63 * time.Minute, "~a b! -u1 u3", "b! u1 u3"},     // a went an hour ago
		{64 * time.Minute, "b! u1 -u2 u3", "b! u1 u3"},     // it runs now
		{65 * time.Minute, "b! ~u1 -u2 -c u3", "b! u1 u3"}, // and went
	})
	kept(2).take(t, []step{
		{0, "-c -d", "c d"},
		{1 * time.Minute, "-c -d -u1", "c u1"},
		{2 * time.Minute, "-c m1 -u1 -u2", "m1 u1"},
	})
	// Users' names that ended leave to those that run all that these may have.
	b := kept(100)
	b.having(0, "u1")
	ended := numbered("-a", 100)
	if got := b.having(time.Minute, slices.Concat([]string{"u1"}, ended)...); len(got) != 16 {
		t.Errorf("%d have one: %q", len(got), got)
	}
	names := slices.Concat([]string{"u1"}, ended, numbered("b", 100))
	if got := b.having(2*time.Minute, names...); len(got) != 31 {
		t.Errorf("%d have one: %q", len(got), got)
	}
}

// What is gone keeps its slot for an hour as if it ran, and then until another needs it.
func TestSlotsOfWhatIsGone(t *testing.T) {
	kept(3).take(t, []step{
		{0, "b c u1", "b c u1"},
		{59 * time.Minute, "~b ~c ~u1 x", "b c u1"}, // as if they ran
		{60 * time.Minute, "b ~c ~u1", "b c u1"},    // nobody needs theirs
		{60 * time.Minute, "b ~c ~u1 x", "b u1 x"},  // one is needed
		{61 * time.Minute, "b ~c x u2", "b u2 x"},   // what runs stays
		{62 * time.Minute, "b ~c x u2", "b u2 x"},
	})
}

// A snapshot that is shown late makes nothing older.
func TestSlotsLateSnapshot(t *testing.T) {
	o := kept(2)
	for _, at := range []time.Duration{100, 10} {
		o.having(at*time.Minute, "x", "y")
	}
	if got := o.having(101*time.Minute, "x", "z"); !slices.Equal(got, []string{"x"}) {
		t.Errorf("%q, and y has no slot any more", got)
	}
}

// Whoever runs executables of ever new names takes no series from what is not theirs,
// and makes few.
func TestSlotsUnderChurn(t *testing.T) {
	const limit = 100
	own := slices.Concat(numbered("u", 30), numbered("k", 20), []string{"nginx!", "dbus"})
	for _, c := range []struct {
		name   string
		prefix string // of the attacker's names
		late   []string
	}{
		{"executables", "x+", []string{"u_new", "k_new", "late!"}},
		{"containers", "c+", []string{"u_new", "k_new", "late!"}},
		{"user units", "m+", []string{"u_new", "k_new", "late!"}},
		{"rule about all", "a+!", []string{"u_new", "k_new"}},
	} {
		for _, first := range []bool{true, false} {
			o := kept(limit)
			everHad := map[string]bool{}
			if !first {
				o.having(0, own...)
			}
			at := time.Duration(0)
			for r := range 300 {
				at += time.Minute
				names := slices.Concat(own, numbered(fmt.Sprintf("%s%03d", c.prefix, r), 110))
				mine := own
				if r > 20 {
					names, mine = append(names, c.late...), append(slices.Clone(own), c.late...)
				}
				got := o.having(at, names...)
				for _, name := range mine {
					// At the first scrape all executables are alike.
					lucky := !first || name[0] == 'u' || name[0] == 'k' || !strings.Contains(c.prefix, "!") && name != "dbus"
					if lucky && !slices.Contains(got, name) {
						t.Fatalf("%s, there before: %v: %s lost its series in scrape %d", c.name, first, name, r)
					}
				}
				for _, name := range got {
					everHad[name] = true
				}
			}
			if most := limit + 5*limit/5; len(everHad) > most {
				t.Errorf("%s: %d different names in 5 hours, want at most %d", c.name, len(everHad), most)
			}
		}
	}
}

// rank is the class of a name: the highest that it can have, or the lowest.
func rank(name string, highest bool) int {
	ruled := strings.Contains(name, "!")
	switch kind := name[0]; {
	case kind == 'u' || kind == 'k':
		if ruled {
			return int(ruledOfHost)
		}
		return int(ofHost)
	case ruled && highest:
		return int(favoured)
	case ruled:
		return int(ruledBeyond)
	case kind == 'm':
		return int(ofUser)
	default:
		return int(ofProgram)
	}
}

// TestSlotsModel: whatever comes and goes, what Slots promises is kept.
func TestSlotsModel(t *testing.T) {
	pool := slices.Concat(numbered("u", 8), numbered("u!", 3), numbered("k", 4), numbered("m", 8), numbered("m!", 2),
		numbered("c", 4), numbered("x", 20), numbered("x+", 20), numbered("x!", 5))
	trusted := func(name string) bool { return name[0] == 'u' || name[0] == 'k' }
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 9))
		limit := r.IntN(30)
		o := kept(limit)
		at := time.Duration(0)
		lastSeen := map[string]time.Duration{} // of names that had a series
		newAt := map[time.Duration]int{}       // users' names that got one
		var before []string
		for step := range 120 {
			scraped := at
			at += time.Duration(r.IntN(20)) * time.Minute
			var now []string
			for _, name := range pool {
				if r.IntN(5) < 3 {
					now = append(now, name)
				}
			}
			got := o.having(at, now...)
			if len(got) > limit {
				t.Fatalf("%d: %d names, limit %d", seed, len(got), limit)
			}
			for _, name := range got {
				seen, had := lastSeen[name]
				if fresh := !had || scraped-seen >= time.Hour; fresh && !trusted(name) && step > 0 {
					newAt[at]++
				}
				lastSeen[name] = at
			}
			gained := int(ofProgram) + 1
			for _, name := range got {
				if !slices.Contains(before, name) {
					gained = min(gained, rank(name, true))
				}
			}
			recent := 0
			for when, n := range newAt {
				if at-when < time.Hour {
					recent += n
				}
			}
			if recent > max(1, limit/5) {
				t.Fatalf("%d, %v: %d new names of users in an hour, limit %d", seed, at, recent, limit)
			}
			for _, name := range now {
				if slices.Contains(before, name) && !slices.Contains(got, name) {
					if len(o.held) < limit || gained >= rank(name, false) {
						t.Fatalf("%d, %v: %s lost its series to none of a higher class: %q", seed, at, name, got)
					}
					delete(lastSeen, name)
				}
				if trusted(name) && !slices.Contains(got, name) {
					for _, other := range got {
						if !trusted(other) && !strings.Contains(other, "!") {
							t.Fatalf("%d, %v: %s has none, but %s has", seed, at, name, other)
						}
					}
				}
			}
			before = got
			if n := len(o.held); n > limit || len(o.given) > max(1, limit/5) {
				t.Fatalf("%d names and %d gifts are kept", n, len(o.given))
			}
		}
	}
}

// Assignments at the same time each have at most as many names as allowed.
func TestSlotsTogether(t *testing.T) {
	o := kept(10)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				names := numbered(fmt.Sprintf("x%d", (g+i)%9), 15)
				if n := len(o.having(time.Duration(i)*time.Minute, names...)); n > o.limit {
					t.Errorf("%d names", n)
				}
			}
		})
	}
	wg.Wait()
}
