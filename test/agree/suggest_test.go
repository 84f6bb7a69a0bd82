// SPDX-License-Identifier: Apache-2.0

package agree

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/suggest"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// assets are those of the hosts.
const assets = "assets: [{name: signals, signal: true}, {name: sockets, abstract_unix: true}]\n"

// inComments is the beginning of lines of rules in comments.
var inComments = regexp.MustCompile(`(?m)^# (  )`)

// TestSuggested: whatever is on a host, the rules that are suggested for it load without a
// warning and hold on it; those in comments load, too, and none of them holds.
func TestSuggested(t *testing.T) {
	inForce, todo := 0, 0
	for seed := range uint64(200) {
		s := named(seed)
		var b strings.Builder
		if err := suggest.Write(&b, s, nil); err != nil {
			t.Fatal(err)
		}
		rules := loaded(t, b.String())
		r := policy.New(rules, policy.Options{}).Evaluate(s)
		if r.Violated() || r.Open() || r.Applied != len(rules.Rules) {
			t.Fatalf("seed %d: violated %v, open %v, %d of %d rules applied\n%s", seed,
				r.Violated(), r.Open(), r.Applied, len(rules.Rules), &b)
		}
		suggested := map[string]bool{}
		for i := range rules.Rules {
			suggested[rules.Rules[i].Name] = true
		}
		all := loaded(t, inComments.ReplaceAllString(b.String(), "$1"))
		for _, rule := range policy.New(all, policy.Options{}).Evaluate(s).Rules {
			n := &rule.Processes
			if !suggested[rule.Rule.Name] && n[policy.Violating]+n[policy.Unknown] == 0 {
				t.Fatalf("seed %d: %s, which is in comments, holds\n%s", seed, rule.Rule.Name, &b)
			}
		}
		inForce, todo = inForce+len(rules.Rules), todo+len(all.Rules)-len(rules.Rules)
	}
	if t.Logf("%d rules, and %d in comments", inForce, todo); inForce < 100 || todo < 100 {
		t.Error("these are too few to say anything")
	}
}

// named returns a host whose processes run in units, and have parents and programs: names for
// rules.
func named(seed uint64) *scan.Snapshot {
	s := hosts.Random(seed)
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range s.Workloads {
		w := &s.Workloads[i]
		unit := w.Name + ".service"
		if w.Name > "w5" {
			unit = w.Name + "@1.service"
		}
		w.Kind, w.Unit, w.FullName, w.Slice = scan.Unit, unit, unit, "system.slice"
		w.Name, w.Cgroup = strings.Replace(unit, "@1", "@", 1), "/system.slice/"+unit
	}
	for i := range s.Processes {
		p := &s.Processes[i]
		p.PPID = 1
		if i > 0 && r.IntN(2) == 0 {
			parent := &s.Processes[r.IntN(i)]
			p.PPID, p.Workload = parent.PID, parent.Workload
		}
		if r.IntN(8) == 0 {
			p.Workload = -1
		}
		p.ExeOrigin = scan.OfHost
		p.SetExe("/usr/bin/"+string(rune('a'+r.IntN(8))), true)
	}
	return s
}

// loaded returns the configuration that a text is, which must give no warning. Its rules are
// about processes of any age.
func loaded(t *testing.T, text string) *policy.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(assets+text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := policy.Load(file)
	if err != nil || len(c.Warnings) > 0 {
		t.Fatalf("%v, %+v\n%s", err, c, text)
	}
	for i := range c.Rules {
		c.Rules[i].Grace = 0
	}
	return c
}
