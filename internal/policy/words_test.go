// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// What is missing, and what is not known, is put in words.
func TestJudgeInWords(t *testing.T) {
	const read, write = 1 << 2, 1 << 1
	files := access.Rights{access.FS: read | write | access.Refer}
	// seen makes a process whose first task has a view in which rights are granted.
	seen := func(granted uint32, others ...int32) func(host) *scan.Process {
		return func(h host) *scan.Process {
			d := h.domain(-1, files)
			p := h.process(-1, "", append([]int32{d}, others...)...)
			h.TasksOf(p)[0].View = h.view(d, granted)
			return p
		}
	}
	const nothing = "violating restricts_nothing: it is sandboxed, but restricts nothing: " +
		"no right is restricted in every task"
	for _, c := range []struct {
		name, expect string
		add          func(h host) *scan.Process
		want         string
	}{
		{"nothing restricted", "", seen(allFS[access.FS]), nothing},
		{"nothing restricted, and too shallow", "min_depth=3,restricts=fs.*", seen(allFS[access.FS]), nothing},
		{"nothing restricted in common", "", func(h host) *scan.Process {
			return h.process(-1, "", h.domain(-1, access.Rights{access.Net: 1}), h.domain(-1, access.Rights{access.Net: 2}))
		}, nothing},
		{"nothing restricted, which may be", "effective=false", seen(allFS[access.FS]), "compliant : "},
		{"partial: what is sandboxed restricts nothing", "state=sandboxed,partial", seen(allFS[access.FS], -1), nothing},
		{"partial: what is sandboxed restricts something", "state=sandboxed,partial", seen(read, -1), "compliant : "},
		{"granted everywhere", "restricts=fs.read_file", seen(read),
			"violating right_not_restricted: not restricted in every task: fs.read_file (handled, but granted everywhere in some task)"},
		{"not handled", "restricts=fs.execute", seen(read),
			"violating right_not_restricted: not restricted in every task: fs.execute"},
		{"rules not read", "restricts=fs.*", func(h host) *scan.Process {
			return h.process(-1, "", h.domain(-1, access.Rights{access.FS: access.Supported(6)[access.FS]}))
		}, "unknown : it is not known whether it restricts fs.execute, fs.write_file, fs.read_file, " +
			"fs.read_dir, fs.remove_dir, fs.remove_file, fs.make_char, fs.make_dir and 8 more: " +
			"not all of its rules were read"},
		{"not read, and not handled", "restricts=fs.execute", func(h host) *scan.Process {
			return h.process(-1, "", h.domain(-1, files))
		}, "violating right_not_restricted: not restricted in every task: fs.execute"},
		{"root moved", "", func(h host) *scan.Process {
			d := h.domain(-1, files)
			p := h.process(-1, "", d)
			h.TasksOf(p)[0].View = h.view(d)
			h.Views[0].Doubt = domainid.RootChanging
			return p
		}, "unknown : it is not known whether it restricts anything: its root directory was moved while it was looked at"},
		{"newer rights", "", func(h host) *scan.Process {
			d := h.domain(-1, access.Rights{})
			h.Domains[d].HandlesOther = true
			return h.process(-1, "", d)
		}, "unknown : it is not known whether it restricts anything: a layer handles rights that are newer than this landlockd"},
		{"lineage unknown", "min_depth=2,effective=false", func(h host) *scan.Process {
			d := h.domain(-1, files)
			h.Domains[d].Lineage = domainid.LineageInferred
			return h.process(-1, "", d)
		}, "unknown : its shallowest task is at depth 1 or deeper, want at least 2: not all domains that it is nested in are known"},
		{"too deep", "max_depth=1,effective=false", func(h host) *scan.Process {
			outer := h.domain(-1, files)
			return h.process(-1, "", outer, h.domain(outer, files))
		}, "violating too_deep: its deepest task is at depth 2, want at most 1"},
		{"too deep, at least", "max_depth=1,effective=false", func(h host) *scan.Process {
			d := h.domain(h.domain(-1, files), files)
			h.Domains[d].Lineage = domainid.LineageInferred
			return h.process(-1, "", d)
		}, "violating too_deep: its deepest task is at depth 2 or deeper, want at most 1"},
		{"how deep is unknown", "max_depth=2,effective=false", func(h host) *scan.Process {
			d := h.domain(-1, files)
			h.Domains[d].Lineage = domainid.LineageInferred
			return h.process(-1, "", d)
		}, "unknown : its deepest task is at depth 1 or deeper, want at most 2: " +
			"not all domains that its tasks are in are known"},
		{"free", "state=unsandboxed", func(h host) *scan.Process {
			return h.process(-1, "", -1)
		}, "compliant : "},
		{"not free", "state=unsandboxed", func(h host) *scan.Process {
			return h.process(-1, "", h.domain(-1, files))
		}, "violating sandboxed: its tasks are in a domain, want none"},
		{"not all free", "state=unsandboxed", func(h host) *scan.Process {
			return h.process(-1, "", h.domain(-1, files), -1)
		}, "violating sandboxed: some of its tasks are in a domain, want none"},
		{"free or not", "state=unsandboxed", func(h host) *scan.Process {
			return h.process(-1, "", -2)
		}, "unknown : its state is unknown: denied"},
		{"worker outside", "restricts=net.bind_tcp", func(h host) *scan.Process {
			p := h.process(-1, "", h.domain(-1, access.Rights{access.Net: 1}))
			h.worker(placeIn(0), freePlace)
			return p
		}, "unknown : what it restricts may not hold: it has a thread that the kernel made for it (io_uring, vhost) that may act outside of its domains"},
		{"worker outside, violates", "restricts=net.bind_tcp,outside_workers=violation", func(h host) *scan.Process {
			p := h.process(-1, "", h.domain(-1, access.Rights{access.Net: 1}))
			h.worker(freePlace, placeIn(0))
			return p
		}, "violating outside_worker: it has a thread that the kernel made for it (io_uring, vhost) that may act outside of its domains"},
		{"worker outside, and a right missing", "restricts=net.*,outside_workers=violation", func(h host) *scan.Process {
			p := h.process(-1, "", h.domain(-1, access.Rights{access.Net: 1}))
			h.worker(freePlace, freePlace)
			return p
		}, "violating right_not_restricted: not restricted in every task: net.connect_tcp"},
		{"worker outside, allowed", "restricts=net.bind_tcp,outside_workers=allow", func(h host) *scan.Process {
			p := h.process(-1, "", h.domain(-1, access.Rights{access.Net: 1}))
			h.worker(freePlace, freePlace)
			return p
		}, "compliant : "},
		{"worker outside, and nothing asked for that it could break", "min_depth=1", func(h host) *scan.Process {
			p := h.process(-1, "", h.domain(-1, access.Rights{access.Net: 1}))
			h.worker(freePlace, freePlace)
			return p
		}, "compliant : "},
		{"worker somewhere", "restricts=net.bind_tcp,outside_workers=violation", func(h host) *scan.Process {
			p := h.process(-1, "", h.domain(-1, access.Rights{access.Net: 1}))
			h.worker(placeIn(0), darkPlace)
			return p
		}, "unknown : what it restricts may not hold: it is not known whether a thread that the kernel made for it (io_uring, vhost) may act outside of its domains"},
		{"worker inside", "restricts=net.bind_tcp,outside_workers=violation", func(h host) *scan.Process {
			p := h.process(-1, "", h.domain(-1, access.Rights{access.Net: 1}))
			h.worker(placeIn(0), placeIn(h.domain(0, files)))
			return p
		}, "compliant : "},
	} {
		h := newHost()
		h.Source.Rules = "read"
		p := c.add(h)
		var x Expect
		if c.expect != "" {
			var err error
			if x, err = ParseExpect(c.expect); err != nil {
				t.Fatal(err)
			}
		}
		result, reason, words := x.Judge(h.Snapshot, p)
		if got := result.String() + " " + reason.String() + ": " + words; got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// Where rules are not read, what is handled stands in for what is restricted; and
// where that is not known either, being in a domain for being restricted at all.
func TestHandledStandsIn(t *testing.T) {
	for _, rules := range []string{"unread", "none"} {
		for _, c := range []struct {
			handled   access.Rights
			restricts string
			want      Result
		}{
			{access.Rights{access.FS: 1 << 2}, "fs.read_file", Compliant},
			{access.Rights{access.FS: 1 << 2}, "fs.write_file", Violating},
			{access.Rights{}, "", Compliant},
			{access.Rights{}, "fs.write_file", Unknown},
		} {
			h := newHost()
			h.Source.Rules = rules
			p := h.process(-1, "", h.domain(-1, c.handled))
			var x Expect
			if c.restricts != "" {
				x.Restricts = []string{c.restricts}
			}
			if got, _, words := x.Judge(h.Snapshot, p); got != c.want {
				t.Errorf("%s, %+v, %q: %s (%s), want %s", rules, c.handled, c.restricts, got, words, c.want)
			}
		}
	}
}
