// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// TestSummary: a sentence has what Landlock lets the process do, and does not take for granted
// or for denied what is not known.
func TestSummary(t *testing.T) {
	const refer, makeReg, truncate = access.Refer, 1 << 8, 1 << 14
	all := access.Rights{access.FS: 1<<16 - 1, access.Net: 3, access.Scope: 3}
	files := domainid.Ruleset{
		Ports:  []domainid.PortRule{{Port: 53, Net: 2}, {Port: 443, Net: 2}},
		Inodes: []domainid.InodeRule{{Dev: 8, Ino: 2, FS: (1<<16 - 1) &^ (1 | 1<<2 | 1<<3)}},
	}
	connect, _ := access.Lookup("net.connect_tcp")
	mptcp, _ := access.LookupWay(connect, "mptcp")
	for name, c := range map[string]struct {
		handled access.Rights
		rules   domainid.Ruleset
		change  func(*scan.Snapshot, *Explanation)
		want    string
	}{
		"usual": {all, files, func(s *scan.Snapshot, e *Explanation) {
			s.Views[0].Everywhere = []uint32{1 << 2}
			e.Places = map[File]string{{8, 2}: "/tmp"}
		}, "Landlock lets 100 (sh) read everywhere, list directories and execute nowhere, " +
			"write and make or remove files below /tmp alone, bind no TCP port, " +
			"connect to TCP ports 53 and 443 alone, use any UDP port, " +
			"connect to Unix sockets that have a path and signal nobody outside."},
		"no path": {all, files, nil, "Landlock lets 100 (sh) read and execute nowhere, " +
			"write and make or remove files in some places alone, bind no TCP port, " +
			"connect to TCP ports 53 and 443 alone, use any UDP port, " +
			"connect to Unix sockets that have a path and signal nobody outside."},
		"a way": {access.Rights{access.Net: 3}, domainid.Ruleset{},
			func(s *scan.Snapshot, _ *Explanation) { s.Kernel.Ways = mptcp.Ways() },
			"Landlock lets 100 (sh) read, execute, write and make or remove files everywhere, " +
				"bind no TCP port, connect to no TCP port but by MPTCP, use any UDP port, " +
				"connect to any Unix socket and signal anybody."},
		"no network": {access.Rights{access.FS: makeReg | truncate, access.Net: 15}, domainid.Ruleset{},
			func(s *scan.Snapshot, _ *Explanation) {
				s.Kernel.ABI, s.Kernel.Rights = 10, access.Exactly(access.Supported(10))
			}, "Landlock lets 100 (sh) read, execute, write and make or remove some kinds of files " +
				"everywhere, truncate nowhere, use no TCP or UDP port, connect to any Unix socket " +
				"and signal anybody."},
		"in doubt": {access.Rights{access.FS: readFile | 1}, domainid.Ruleset{},
			func(s *scan.Snapshot, _ *Explanation) { s.Views[0].Doubt = domainid.RootChanging },
			"Landlock lets 100 (sh) list directories, write and make or remove files everywhere, " +
				"use any TCP or UDP port, connect to any Unix socket and signal anybody. " +
				"It is not known where it may read or execute."},
		"layers unknown": {access.Rights{access.Net: 3}, domainid.Ruleset{},
			func(s *scan.Snapshot, _ *Explanation) {
				s.Domains[0].Lineage = domainid.LineageInferred
				s.Kernel.Rights.May = access.Every()
			}, "Landlock lets 100 (sh) use no TCP port. It is not known where it may read, execute, " +
				"write, make or remove files, bind UDP ports, connect to UDP ports, " +
				"connect to Unix sockets outside or signal."},
		"ineffective": {access.Rights{access.FS: readFile}, domainid.Ruleset{},
			func(s *scan.Snapshot, _ *Explanation) { s.Views[0].Everywhere = []uint32{readFile | refer} },
			"Landlock lets 100 (sh) do everything that a sandbox could restrict."},
		"a class": {access.Rights{access.Scope: 3}, domainid.Ruleset{},
			func(s *scan.Snapshot, _ *Explanation) { s.Domains[0].HandlesOther = true },
			"Landlock lets 100 (sh) read, execute, write and make or remove files everywhere, " +
				"use any TCP or UDP port, connect to Unix sockets that have a path and signal nobody " +
				"outside. A layer handles rights that are newer than this landlockd: it may let do less."},
		"unsandboxed": {all, files, func(s *scan.Snapshot, _ *Explanation) {
			s.Processes[0].State = scan.Unsandboxed
			s.Tasks[0] = scan.Task{TID: 100, State: scan.Unsandboxed, Domain: -1, View: -1}
		}, "Landlock keeps 100 (sh) from nothing: it is in no domain."},
		"unknown": {all, files, func(s *scan.Snapshot, _ *Explanation) {
			s.Processes[0].State = scan.Unknown
			s.Tasks[0] = scan.Task{TID: 100, Domain: -1, View: -1}
		}, "It is not known what Landlock keeps 100 (sh) from."},
	} {
		s, p := host([]domainid.Domain{layer(-1, c.handled, c.rules)}, 0)
		places := &Explanation{}
		if c.change != nil {
			c.change(s, places)
		}
		e := Of(s, p)
		e.Places = places.Places
		if got := e.Summary(func(text string) string { return text }); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}

// TestSummaryOfThreads: what one thread may do the process may do.
func TestSummaryOfThreads(t *testing.T) {
	s, p := host([]domainid.Domain{
		layer(-1, access.Rights{access.FS: writeFile | readFile}, domainid.Ruleset{
			Inodes: []domainid.InodeRule{{Dev: 8, Ino: 2, FS: writeFile}},
		}),
		layer(-1, access.Rights{access.FS: writeFile | 1, access.Scope: 2}, domainid.Ruleset{
			Inodes: []domainid.InodeRule{{Dev: 8, Ino: 3, FS: writeFile}},
		}),
	}, 0, 1)
	e := Of(s, p)
	e.Places = map[File]string{{8, 2}: "/a", {8, 3}: "/b"}
	const want = "Landlock lets 100 (sh) read, execute, truncate and make or remove files everywhere, " +
		"write below /a and /b alone, use any TCP or UDP port, connect to any " +
		"Unix socket and signal anybody."
	if got := e.Summary(func(text string) string { return text }); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	s.Tasks[1] = scan.Task{TID: 101, Domain: -1, View: -1}
	p.State = scan.Unknown
	e = Of(s, p)
	const unknown = "Landlock lets 100 (sh) list directories, execute, truncate and make or remove files " +
		"everywhere, use any TCP or UDP port, connect to any Unix socket and signal anybody. " +
		"It is not known where it may read or write."
	if got := e.Summary(func(text string) string { return text }); got != unknown {
		t.Errorf("%s\nwant %s", got, unknown)
	}
}

// TestMounts: whether mounting is denied follows from what every thread handles.
func TestMounts(t *testing.T) {
	for name, c := range map[string]struct {
		domains []domainid.Domain
		want    access.Answer
	}{
		"files":    {reading(), access.Yes},
		"ports":    {[]domainid.Domain{layer(-1, access.Rights{access.Net: 1}, domainid.Ruleset{})}, access.No},
		"one not":  {append(reading(), layer(-1, access.Rights{access.Scope: 1}, domainid.Ruleset{})), access.No},
		"not read": {append(reading(), layer(-1, access.Rights{}, domainid.Ruleset{})), access.Unknown},
	} {
		var tasks []int32
		for i := range c.domains {
			tasks = append(tasks, int32(i))
		}
		e := Of(host(c.domains, tasks...))
		if got := e.DeniesMounts(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
