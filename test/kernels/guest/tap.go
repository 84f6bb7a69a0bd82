// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// outcome is what a test came to.
type outcome string

const (
	passed  outcome = "passed"
	failed  outcome = "failed"
	skipped outcome = "skipped"
)

// results are what the tests of a program came to, each time that they ran.
type results struct {
	tests map[string]map[outcome]int
	// reasons are why tests were skipped, and said is what the program said last of each
	// test that did not pass.
	reasons, said map[string]string
	took          []time.Duration
}

func newResults() *results {
	return &results{tests: map[string]map[outcome]int{}, reasons: map[string]string{}, said: map[string]string{}}
}

// count returns how many tests passed, were skipped and failed at least once.
func (r *results) count() (n [3]int) {
	for _, got := range r.tests {
		switch {
		case got[failed] > 0:
			n[2]++
		case got[skipped] > 0:
			n[1]++
		default:
			n[0]++
		}
	}
	return n
}

func (r *results) String() string {
	n := r.count()
	return fmt.Sprintf("%d passed, %d skipped, %d failed", n[0], n[1], n[2])
}

// read adds what a program said, in the kernel's form of the Test Anything Protocol. It is an error
// if a test that was planned has no result, or has it out of turn.
func (r *results) read(out []byte) error {
	planned, n := 0, 0
	name, about := "", &strings.Builder{}
	for text := range strings.Lines(string(out)) {
		text = strings.TrimRight(text, "\n")
		if m := tapPlan.FindStringSubmatch(text); m != nil {
			planned, _ = strconv.Atoi(m[1])
		}
		if m := tapRun.FindStringSubmatch(text); m != nil {
			name = m[1]
			about.Reset()
		}
		m := tapResult.FindStringSubmatch(text)
		if m == nil {
			about.WriteString(text + "\n")
			continue
		}
		n++
		if name == "" || m[2] != strconv.Itoa(n) {
			return fmt.Errorf("a result of no test, or out of turn: %s", text)
		}
		o := passed
		_, reason, skips := strings.Cut(m[3], "# SKIP")
		switch {
		case skips:
			o = skipped
			r.reasons[name] = strings.TrimSpace(reason)
		case m[1] != "ok":
			o = failed
			r.said[name] = about.String()
		}
		if r.tests[name] == nil {
			r.tests[name] = map[outcome]int{}
		}
		r.tests[name][o]++
		name = ""
	}
	if planned == 0 || n != planned {
		return fmt.Errorf("%d tests are planned, and %d have a result", planned, n)
	}
	return nil
}

var (
	tapPlan   = regexp.MustCompile(`^1\.\.(\d+)$`)
	tapRun    = regexp.MustCompile(`^#  RUN           (\S+) \.\.\.$`)
	tapResult = regexp.MustCompile(`^(ok|not ok) (\d+) (.*)$`)
)

func (r *results) failed() []string {
	var names []string
	for _, test := range slices.Sorted(maps.Keys(r.tests)) {
		if r.tests[test][failed] > 0 {
			names = append(names, fmt.Sprintf("`%s` (%s)", test, show(r.tests[test])))
		}
	}
	return names
}

// skipped returns the reasons, and how many tests have each.
func (r *results) skipped() []string {
	count := map[string]int{}
	for test := range r.reasons {
		count[r.reasons[test]]++
	}
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(count)) {
		reasons = append(reasons, fmt.Sprintf("%d: %s", count[reason], reason))
	}
	return reasons
}

func show(got map[outcome]int) string {
	var words []string
	for _, o := range []outcome{passed, skipped, failed} {
		if got[o] > 0 {
			words = append(words, fmt.Sprintf("%d times %s", got[o], o))
		}
	}
	return strings.Join(words, " and ")
}

// differing returns the tests that never came to the same beside landlockd as without it, and
// those that one side lacks.
func differing(alone, beside *results) []string {
	return namesOf(alone, beside, func(a, b map[outcome]int) bool {
		for o := range a {
			if b[o] > 0 {
				return false
			}
		}
		return true
	})
}

// unsteady returns the tests that came to different things, some of them the same.
func unsteady(alone, beside *results) []string {
	return namesOf(alone, beside, func(a, b map[outcome]int) bool { return len(a) > 1 || len(b) > 1 })
}

// namesOf returns the tests of which something is so of what they came to.
func namesOf(alone, beside *results, is func(a, b map[outcome]int) bool) []string {
	all := map[string]bool{}
	for _, r := range []*results{alone, beside} {
		for test := range r.tests {
			all[test] = all[test] || is(alone.tests[test], beside.tests[test])
		}
	}
	var names []string
	for _, test := range slices.Sorted(maps.Keys(all)) {
		if all[test] {
			names = append(names, test)
		}
	}
	return names
}
