// SPDX-License-Identifier: Apache-2.0

package known

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// Nobody has a rule left out by what he runs under a program's path: not by a file of his own, nor
// by a process that is too young to be judged.
func TestRulesInSpiteOfOthers(t *testing.T) {
	installed := map[string][]Installed{
		"always":   {{"/usr/bin/always", "always", "2.1-1", "2.1"}},
		"optional": {{Path: "/usr/bin/optional"}},
	}
	for name, c := range map[string]struct {
		make func(f *fixture)
		want string
	}{
		"none": {make: func(*fixture) {}, want: "# - name: optional; - name: always"},
		"the host's": {
			make: func(f *fixture) {
				f.run(10, 1, "/usr/bin/always", f.good)
				f.run(11, 1, "/usr/bin/optional", f.good)
			},
			want: "- name: always; - name: optional",
		},
		"all are free, and it is not known whether they should be": {
			make: func(f *fixture) {
				f.run(10, 1, "/usr/bin/always", f.free).ExeDeleted = true
				f.run(11, 1, "/usr/bin/optional", f.free)
			},
			want: "# - name: always; # - name: optional",
		},
	} {
		f := newFixture()
		f.run(1, 0, "/usr/bin/init", f.free)
		c.make(f)
		rules := func() string { return ruleNames(t, &f.Snapshot, Judge(&f.Snapshot, programs(t), installed)) }
		before := rules()
		f.run(100, 1, "/usr/bin/always", f.free).ExeOrigin = scan.OfUser
		f.run(101, 1, "/usr/bin/optional", f.free).ExeOrigin = scan.OfImage
		if name == "the host's" {
			f.run(102, 1, "/usr/bin/always", f.free).Start = uint64(f.Uptime - time.Second)
		}
		if after := rules(); before != c.want || after != c.want {
			t.Errorf("%s: %q, and beside others %q, want %q", name, before, after, c.want)
		}
	}
}

// ruleNames returns the lines with the names of rules, those in comments first.
func ruleNames(t *testing.T, s *scan.Snapshot, all []Program) string {
	t.Helper()
	var b bytes.Buffer
	if err := Rules(&b, s, &Report{Programs: all, Known: len(all)}); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, "- name: ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}
