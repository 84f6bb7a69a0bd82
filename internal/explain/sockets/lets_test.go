// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/scan"
)

// TestLets: whether Landlock lets a process connect to a socket of another depends
// on the layers that the other lacks, and on what they grant where the process is.
func TestLets(t *testing.T) {
	const resolve, abi = 1 << 16, 9
	rule := func(ino uint64) *domainid.Ruleset {
		inodes := []domainid.InodeRule{{Dev: 1, Ino: ino, FS: resolve}}
		return &domainid.Ruleset{Rules: 1, Inodes: inodes}
	}
	at := &Spot{Above: []explain.File{{Dev: 1, Ino: 5}, {Dev: 1, Ino: 2}}}
	guess := &Spot{Above: []explain.File{{Dev: 1, Ino: 5}}, Guess: true}
	leftOut := rule(9)
	leftOut.InodesLeftOut = 1
	for name, c := range map[string]struct {
		rules  *domainid.Ruleset
		change func(*scan.Snapshot)
		at     *Spot
		want   access.Answer
		doubt  bool
	}{
		"no rule":         {rules: rule(9), at: at, want: access.No},
		"a rule above it": {rules: rule(2), at: at, want: access.Yes},
		"everywhere where it is": {rules: rule(9), at: at, want: access.Yes,
			change: func(s *scan.Snapshot) { s.Views[0].Everywhere = []uint32{resolve} }},
		"everywhere of something else": {rules: rule(9), at: at, want: access.No,
			change: func(s *scan.Snapshot) { s.Views[0].Everywhere = []uint32{1} }},
		"its root is not known": {rules: rule(9), at: at, want: access.Unknown, doubt: true,
			change: func(s *scan.Snapshot) { s.Views[0].Doubt = domainid.RootTooDeep }},
		"a rule, its root not known": {rules: rule(2), at: at, want: access.Yes,
			change: func(s *scan.Snapshot) { s.Views[0].Doubt = domainid.RootTooDeep }},
		"rules not read": {at: at, want: access.Unknown, doubt: true},
		"rules left out": {rules: leftOut, at: at, want: access.Unknown, doubt: true},
		"numbers that differ": {rules: rule(9), at: guess, want: access.Unknown,
			doubt: true},
		"not handled": {rules: rule(9), at: at, want: access.Yes, change: func(s *scan.Snapshot) {
			s.Domains[0].Handled = access.Rights{access.FS: 1}
		}},
		"layers not known": {rules: rule(2), at: at, want: access.Unknown, doubt: true,
			change: func(s *scan.Snapshot) {
				s.Domains[0].Lineage = domainid.LineageInferred
			}},
		"its domain not known": {rules: rule(9), at: at, want: access.Unknown, doubt: true,
			change: func(s *scan.Snapshot) {
				s.Tasks[0].Domain, s.Tasks[0].View = domainid.Outermost, domainid.NoView
			}},
		"a kernel without the right": {rules: rule(9), at: at, want: access.Yes,
			change: func(s *scan.Snapshot) {
				s.Kernel.Rights = access.Exactly(access.Supported(abi - 1))
				s.Tasks[0].Domain, s.Tasks[0].View = domainid.Outermost, domainid.NoView
			}},
		"the other is inside": {rules: rule(9), at: at, want: access.Yes,
			change: func(s *scan.Snapshot) { s.Tasks[1].Domain = 0 }},
		"another thread is freer": {rules: rule(9), at: at, want: access.Yes,
			change: func(s *scan.Snapshot) {
				s.Views = append(s.Views, domainid.View{Everywhere: []uint32{resolve}})
				s.Processes[0].NumTasks = 2
				freer := scan.Task{TID: 2, State: scan.Sandboxed, View: 1, Depth: 1, DepthExact: true}
				s.Tasks = []scan.Task{s.Tasks[0], freer, s.Tasks[1]}
				s.Processes[1].FirstTask = 2
			}},
	} {
		s := &scan.Snapshot{
			Kernel: scan.Kernel{Landlock: scan.Enabled, ABI: abi,
				Rights: access.Exactly(access.Supported(abi))},
			Source: scan.SourceInfo{Rules: "read"},
			Domains: []domainid.Domain{{
				ID: 1, Parent: domainid.Outermost, Depth: 1, Lineage: domainid.LineageKnown,
				Handled: access.Rights{access.FS: resolve}, Ruleset: c.rules,
			}},
			Views: []domainid.View{{}},
			Processes: []scan.Process{
				{PID: 1, State: scan.Sandboxed, NumTasks: 1},
				{PID: 9, State: scan.Unsandboxed, FirstTask: 1, NumTasks: 1},
			},
			Tasks: []scan.Task{
				{TID: 1, State: scan.Sandboxed, Depth: 1, DepthExact: true},
				{TID: 9, State: scan.Unsandboxed, Domain: domainid.Outermost,
					View: domainid.NoView},
			},
		}
		if c.change != nil {
			c.change(s)
		}
		l := NewJudge(explain.Of(s, &s.Processes[0]))
		got, doubt := l.lets([]*scan.Process{&s.Processes[1]}, resolveUnix, c.at)
		if got != c.want || (doubt != "") != c.doubt {
			t.Errorf("%s: %v, %q; want %v, a doubt: %v", name, got, doubt, c.want, c.doubt)
		}
	}
}
