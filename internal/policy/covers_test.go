// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// A rule all of whose processes are let out is warned of, where that is certain.
func TestRulesAboutNothing(t *testing.T) {
	for _, c := range []struct {
		match, out string
		want       bool
	}{
		{"unit: [a.service]", "unit: [a.service]", true},
		{"unit: [a.service]", `unit: ["a*"]`, true},
		{"unit: [a.service, b.service]", "unit: [b.service]", false},
		{"unit: [a.service, b.service]", `unit: [b.service, "re:a.*"]`, true},
		{`unit: ["a*"]`, "unit: [a.service]", false},
		{`unit: ["a*"]`, `unit: ["a*"]`, true},
		{"unit: [a.service], uid: [5]", "unit: [a.service]", true},
		{"unit: [a.service]", "unit: [a.service], slice: [system.slice]", false},
		{"unit: [a.service], main: true", "unit: [a.service], main: true", true},
		{"unit: [a.service], main: true", "unit: [a.service], main: false", false},
		{"unit: [a.service]", "unit: [a.service], main: true", false},
		// A process of two users is let out if it is both.
		{"unit: [a.service], uid: [0]", "unit: [a.service], uid: [0-9]", false},
		{"unit: [user@5/a.service]", `unit: ["**"]`, false},
		{"unit: [user@5/a.service]", `unit: ["user@*/*"]`, true},
		{"exe: [/a], mntns: any, uid: [1]", "exe: [/a], cgroup: [/x]", false},
		{"exe: [/a], mntns: any, cgroup: [/x]", "exe: [/a], cgroup: [/x]", false},
		{"exe: [/a], cgroup: [/x]", "exe: [/a], cgroup: [/x]", true},
		{"exe: [/a], cgroup: [/x]", "exe: [/a], cgroup: [/x], mntns: any", true},
		{"container: [a], exe: [/a]", `container: ["*"]`, true},
		{"ancestor_exe: [/a], unit: [b.service]", "ancestor_exe: [/a], unit: [b.service]", true},
		// The match believes the files of a unit's own image.
		{"exe: [/a], unit: [b.service], slice: [c.slice]", "exe: [/a], slice: [c.slice]", false},
		{"exe: [/a], unit: [b.service]", "exe: [/a], unit: [b.service]", true},
	} {
		rule := "rules: [{name: r, match: {" + c.match + "}, except: [{unit: [none.service]}"
		for where, text := range map[string]string{
			"except": rule + ", {" + c.out + "}]}]",
			"exempt": "exempt: [{" + c.out + "}]\n" + rule + "]}]",
		} {
			got := false
			for _, w := range load(t, text).Warnings {
				got = got || strings.Contains(w.Message, "the rule is about nothing")
			}
			if got != c.want {
				t.Errorf("%s {%s} of {%s}: %t", where, c.out, c.match, got)
			}
		}
	}
}

// A rule with the warning that it is about nothing is about no process for certain.
func TestCoversIsSound(t *testing.T) {
	covered, meant := 0, 0
	cmdline := func() (string, bool) { return "a", true }
	for seed := range uint64(600) {
		rnd := rand.New(rand.NewPCG(seed, 23))
		match := someMatch(rnd, false)
		out := match
		if rnd.IntN(2) == 0 {
			out = someMatch(rnd, false)
		}
		c := load(t, fmt.Sprintf("rules: [{name: a, match: %s, except: [%s]}]", match, out))
		if !c.Rules[0].Except[0].covers(&c.Rules[0].Match) {
			continue
		}
		covered++
		h := someHost(rnd)
		for i := range h.Processes {
			f := allFactsOf(h.Snapshot, &h.Processes[i], everything(c))
			if l, _ := c.Rules[0].Match.level(&f, anyTask, cmdline); l == yes {
				meant++
			}
			if l, _ := c.Rules[0].about(&f, no, cmdline, time.Time{}); l == yes {
				t.Fatalf("seed %d: %s without %s is about %+v", seed, match, out, f)
			}
		}
	}
	if covered < 150 || meant < 150 {
		t.Errorf("%d covered, %d processes meant: this says little", covered, meant)
	}
}
