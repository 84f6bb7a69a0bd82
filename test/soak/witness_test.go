// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/test/exposition"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/truth"
)

// witnesses are processes of known states, of another user than the attacker. Whatever
// others do, each scrape must say what they are.
type witnesses struct {
	// programs are those that they run, by the names of the rules about them.
	programs map[string]string
	// inside is the PID of one that is sandboxed.
	inside int
}

// insiders are so many, this deep; their parent is not sandboxed.
const insiders, insideDepth = 5, 3

func startWitnesses(t *testing.T, a *arena) *witnesses {
	t.Helper()
	dir := testenv.PublicDir(t)
	w := &witnesses{programs: map[string]string{}}
	start := func(name string, args ...string) *process {
		w.programs[name] = filepath.Join(dir, name)
		b, err := os.ReadFile(a.crowd)
		if err == nil {
			err = os.WriteFile(w.programs[name], b, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		p, _ := startAs(t, other, append([]string{w.programs[name]}, args...)...)
		return p
	}
	start("partial", "threads", "4", "2")
	p := start("inside", "domains", fmt.Sprint(insiders), fmt.Sprint(insideDepth))
	if _, err := fmt.Sscanf(p.output.String(), "pid %d\n", &w.inside); err != nil {
		t.Fatalf("%q: %v", &p.output, err)
	}
	return w
}

// rules are those of the daemons: about the witnesses, about what of a churn is the same at
// any time, and one for which command lines are read.
func (w *witnesses) rules() string {
	return fmt.Sprintf(`defaults: {grace: 0s}
rules:
- {name: inside, match: {exe: [%q]}, expect: {state: [sandboxed], restricts: [fs.write_file]}}
- {name: partial, match: {exe: [%q]}, expect: {state: [sandboxed]}}
- {name: always, match: {comm: [%s]}, expect: {state: [sandboxed]}}
- {name: never, match: {comm: [%s]}, expect: {state: [sandboxed]}}
- {name: cmdlines, match: {cmdline: ["no such program *"]}}
`, w.programs["inside"], w.programs["partial"], truth.Always, truth.Never)
}

// scrape scrapes a daemon, and adds what it says that is not so, and what is so and it does
// not say.
func (w *witnesses) scrape(t *testing.T, d *daemon, seen *watch) exposition.Samples {
	t.Helper()
	before := d.cpu(t)
	m, took := d.scrape(t)
	seen.busiest = max(seen.busiest, d.cpu(t)-before)
	seen.scrapes++
	seen.slowest = max(seen.slowest, took)
	seen.series = max(seen.series, len(m))
	if m["landlockd_scan_success"] != 1 {
		seen.missed = append(seen.missed, "a scan has failed")
		return m
	}
	for _, c := range []struct {
		rule, result string
		least, most  float64
	}{
		{"inside", "compliant", insiders, insiders}, {"inside", "violating", 1, 1},
		{"partial", "violating", 1, 1}, {"partial", "compliant", 0, 0},
		{"always", "violating", 0, 0}, {"never", "compliant", 0, 0},
	} {
		name := fmt.Sprintf("landlock_rule_processes{result=%q,rule=%q}", c.result, c.rule)
		got := m[name] // a rule that has not matched has none
		if text := fmt.Sprintf("%s is %v, want %v", name, got, c.least); got > c.most {
			seen.wrong = append(seen.wrong, text)
		} else if got < c.least {
			seen.missed = append(seen.missed, text)
		}
	}
	return m
}
