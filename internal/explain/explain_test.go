// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

var update = flag.Bool("update", false, "write testdata")

// host is a snapshot of ABI 7 with one process, whose tasks are in the domains,
// with a view of each in which no rule grants anything everywhere.
func host(domains []domainid.Domain, tasks ...int32) (*scan.Snapshot, *scan.Process) {
	s := &scan.Snapshot{
		Time: time.Unix(1_750_000_000, 0), Uptime: time.Hour,
		Kernel: scan.Kernel{Landlock: scan.Enabled, ABI: 7,
			Rights: access.Exactly(access.Supported(7))},
		Source:  scan.SourceInfo{Name: "taskiter", Rules: "read", Denials: "counters", Lineage: "known"},
		Domains: domains,
	}
	for i := range domains {
		s.Views = append(s.Views, domainid.View{Domain: int32(i)})
	}
	p := scan.Process{PID: 100, Start: uint64(30 * time.Minute), State: scan.Sandboxed, Depth: 1, NumTasks: int32(len(tasks)), UserNS: scan.InitUserNS, Workload: scan.NoWorkload}
	copy(p.Comm[:], "sh")
	for i, d := range tasks {
		t := scan.Task{TID: 100 + int32(i), State: scan.Sandboxed, Domain: d, View: d}
		if d < 0 {
			t.State, t.View, p.State, p.Depth = scan.Unsandboxed, domainid.NoView, scan.Partial, 0
		} else {
			t.Depth, t.DepthExact = domains[d].Depth, true
		}
		s.Tasks = append(s.Tasks, t)
	}
	s.Processes = []scan.Process{p}
	return s, &s.Processes[0]
}

func layer(parent int32, handled access.Rights, rules domainid.Ruleset) domainid.Domain {
	return domainid.Domain{ID: 0x1e67bda0b, Parent: parent, Depth: 1, Lineage: domainid.LineageKnown, Handled: handled, Ruleset: &rules}
}

const readFile, writeFile, resolve = 1 << 2, 1 << 1, 1 << 16

func permission(t *testing.T, e *Explanation, right string) *Permission {
	t.Helper()
	for i := range e.Sandboxes[0].Permissions {
		d := &e.Sandboxes[0].Permissions[i]
		if slices.ContainsFunc(d.Rights, func(r access.Right) bool { return r.Name == right }) {
			return d
		}
	}
	t.Fatalf("nothing is said of %s", right)
	return nil
}

func TestPermissions(t *testing.T) {
	outer := layer(-1, access.Rights{access.FS: readFile | writeFile, access.Net: 3, access.Scope: 1}, domainid.Ruleset{
		Ports: []domainid.PortRule{{Port: 53, Net: 2}, {Port: 443, Net: 2}, {Port: 8080, Net: 1}},
		Inodes: []domainid.InodeRule{{Dev: 8, Ino: 2, FS: readFile},
			{Dev: 8, Ino: 7, FS: writeFile}},
	})
	inner := layer(0, access.Rights{access.Net: 2}, domainid.Ruleset{Ports: []domainid.PortRule{{Port: 443, Net: 2}, {Port: 444, Net: 2}}})
	inner.Depth, inner.ID = 2, 0x1e67bda19
	s, p := host([]domainid.Domain{outer, inner}, 1)
	s.Views[1].Everywhere = []uint32{readFile}
	e := Of(s, p)
	for right, want := range map[string]struct {
		may   domainid.Effect
		why   domainid.Reason
		where string
	}{
		"fs.read_file": {domainid.Everywhere, domainid.RulesGrant,
			"everywhere (its rules grant that)"},
		"fs.write_file": {domainid.Limited, domainid.Restricted, "only below these"},
		"fs.execute": {domainid.Everywhere, domainid.NotHandled,
			"everywhere (this sandbox does not restrict it)"},
		"fs.resolve_unix": {domainid.Everywhere, domainid.KernelCannot,
			"yes (this kernel cannot restrict it; Linux 7.1 can)"},
		"net.bind_tcp":    {domainid.Limited, domainid.Restricted, "only 8080"},
		"net.connect_tcp": {domainid.Limited, domainid.Restricted, "only 443"},
		"net.bind_udp": {domainid.Everywhere, domainid.KernelCannot,
			"all (this kernel cannot restrict it; Linux 7.2 can)"},
		"scope.abstract_unix_socket": {domainid.Nowhere, domainid.Restricted, "no"},
		"scope.signal": {domainid.Everywhere, domainid.NotHandled,
			"yes (this sandbox does not restrict it)"},
	} {
		if d := permission(t, e, right); d.Effect != want.may || d.Reason != want.why ||
			d.WhereText() != want.where {
			t.Errorf("%s: %v, %v, %q; want %v, %v, %q", right, d.Effect, d.Reason, d.WhereText(),
				want.may, want.why, want.where)
		}
	}

	// From another root directory, and from one of which it is not known.
	s.Views[1].Everywhere = []uint32{writeFile}
	e = Of(s, p)
	reads, writes := permission(t, e, "fs.read_file").Effect, permission(t, e, "fs.write_file").Effect
	if reads != domainid.Limited || writes != domainid.Everywhere {
		t.Errorf("another root directory: reads %v, writes %v", reads, writes)
	}
	s.Views[1] = domainid.View{Domain: 1, Doubt: domainid.RootTooDeep}
	e = Of(s, p)
	const tooDeep = "not known: its root directory is too deep below the top of its mounts"
	read, connect := permission(t, e, "fs.read_file"), permission(t, e, "net.connect_tcp")
	if read.WhereText() != tooDeep || connect.WhereText() != "only 443" {
		t.Errorf("a root directory that is too deep: %q, %q", read.WhereText(), connect.WhereText())
	}
	s.Views[1].Doubt = 0

	// Layers outside of those that are known.
	s.Domains[1].Lineage, s.Domains[1].Parent = domainid.LineageInferred, domainid.Outermost
	for right, want := range map[string]string{
		"fs.execute":                 "not known: not all of its layers are known",
		"scope.abstract_unix_socket": "not known: not all of its layers are known",
		"net.connect_tcp":            "only 443 and 444, or less (not all of its layers are known)",
		"net.bind_udp":               "all (this kernel cannot restrict it; Linux 7.2 can)",
	} {
		if d := permission(t, Of(s, p), right); d.WhereText() != want {
			t.Errorf("layers that are not known: %s %q, want %q", right, d.WhereText(), want)
		}
	}

	// A source that does not have what is handled.
	plain := layer(-1, access.Rights{}, domainid.Ruleset{})
	plain.Ruleset, plain.Lineage = nil, domainid.LineageInferred
	s2, p2 := host([]domainid.Domain{plain}, 0)
	s2.Source.Rules = "none"
	for right, want := range map[string]domainid.Effect{
		"fs.read_file": domainid.EffectUnknown,
		"scope.signal": domainid.EffectUnknown,
		"net.bind_udp": domainid.Everywhere,
	} {
		if d := permission(t, Of(s2, p2), right); d.Effect != want {
			t.Errorf("nothing is known of the layers: %s %v, want %v", right, d.Effect, want)
		}
	}
	// One that reads no rules: handled is known, what is granted is not.
	unread := outer
	unread.Ruleset = nil
	s3, p3 := host([]domainid.Domain{unread}, 0)
	s3.Source.Rules = "unread"
	for right, want := range map[string]domainid.Effect{
		"fs.read_file":               domainid.EffectUnknown,
		"fs.execute":                 domainid.Everywhere,
		"scope.abstract_unix_socket": domainid.Nowhere,
	} {
		if d := permission(t, Of(s3, p3), right); d.Effect != want {
			t.Errorf("no rules are read: %s %v, want %v", right, d.Effect, want)
		}
	}
}

// TestPermissionsOfPorts: port 0 is one of its own to bind, and none to connect to.
func TestPermissionsOfPorts(t *testing.T) {
	const (
		all     = "all (its rules grant that)"
		but     = "all but 0 (one that the kernel picks): its rules grant that"
		only    = "only 0 (one that the kernel picks)"
		perhaps = "only 80, and perhaps others that are not known"
	)
	on := func(ports ...uint16) (rules []domainid.PortRule) {
		for _, port := range ports {
			rules = append(rules, domainid.PortRule{Port: port, Net: 3})
		}
		return rules
	}
	every := domainid.Ruleset{EveryPort: 3, PortsLeftOut: 65534}
	for name, c := range map[string]struct {
		rules         domainid.Ruleset
		bind, connect string
	}{
		"every port":       {every, but, all},
		"every port and 0": {domainid.Ruleset{EveryPort: 3, Ports: on(0), PortsLeftOut: 65534}, all, all},
		"0":                {domainid.Ruleset{Ports: on(0)}, only, "none"},
		"0 and 80":         {domainid.Ruleset{Ports: on(0, 80)}, only + " and 80", "only 80"},
		"left out":         {domainid.Ruleset{Ports: on(80), PortsLeftOut: 1}, perhaps, perhaps},
	} {
		s, p := host([]domainid.Domain{layer(-1, access.Rights{access.Net: 3}, c.rules)}, 0)
		e := Of(s, p)
		bind, connect := permission(t, e, "net.bind_tcp").WhereText(), permission(t, e, "net.connect_tcp").WhereText()
		if bind != c.bind || connect != c.connect {
			t.Errorf("%s: bind %q, connect %q; want %q, %q", name, bind, connect, c.bind, c.connect)
		}
	}
	// A layer that grants every port but 0 keeps what another grants from it.
	zero := domainid.Ruleset{Ports: []domainid.PortRule{{Port: 0, Net: 1}, {Port: 80, Net: 1}}}
	inner := layer(0, access.Rights{access.Net: 1}, zero)
	inner.Depth = 2
	s, p := host([]domainid.Domain{layer(-1, access.Rights{access.Net: 3}, every), inner}, 1)
	if d := permission(t, Of(s, p), "net.bind_tcp"); d.WhereText() != "only 80" {
		t.Errorf("two layers: %q", d.WhereText())
	}
}

// TestWays: what a kernel leaves open is named where a right is restricted, and only
// there.
func TestWays(t *testing.T) {
	handled := access.Rights{access.FS: writeFile, access.Net: 2}
	s, p := host([]domainid.Domain{layer(-1, handled, domainid.Ruleset{})}, 0)
	way := func(right, name string) access.Ways {
		r, _ := access.Lookup(right)
		w, found := access.LookupWay(r, name)
		if !found {
			t.Fatalf("no way %s past %s", name, right)
		}
		return w.Ways()
	}
	mptcp, fastOpen := way("net.connect_tcp", "mptcp"), way("net.connect_tcp", "tcp_fast_open")
	s.Kernel.Ways = mptcp | fastOpen | way("net.bind_tcp", "mptcp")
	s.Kernel.WaysUnknown = way("fs.refer", "disconnected_directory")
	for right, want := range map[string]string{
		"net.connect_tcp": "none, but by MPTCP and Fast Open (this kernel)",
		"net.bind_tcp":    "all (this sandbox does not restrict it)",
		"fs.refer": "nowhere, but perhaps by directories that were moved out of a bind " +
			"mount (this kernel)",
		"fs.write_file": "nowhere",
	} {
		if d := permission(t, Of(s, p), right); d.WhereText() != want {
			t.Errorf("%s: %q, want %q", right, d.WhereText(), want)
		}
	}
	s.Domains[0].Ruleset.Ports = []domainid.PortRule{{Port: 53, Net: 2}}
	s.Kernel.Ways, s.Kernel.WaysUnknown = mptcp, fastOpen
	const limited = "only 53, but by MPTCP, and perhaps by Fast Open (this kernel)"
	if d := permission(t, Of(s, p), "net.connect_tcp"); d.WhereText() != limited {
		t.Errorf("%q, want %q", d.WhereText(), limited)
	}
	// Where the text has a doubt or a bracket, no exception follows.
	const andMore = "only 53, and perhaps others that are not known; on this kernel "
	s.Domains[0].Ruleset.PortsLeftOut = 1
	for want, open := range map[string]struct{ ways, unknown access.Ways }{
		"MPTCP and Fast Open can get past that":           {mptcp | fastOpen, 0},
		"MPTCP can get past that, and perhaps Fast Open":  {mptcp, fastOpen},
		"Fast Open may get past that, which is not known": {0, fastOpen},
	} {
		s.Kernel.Ways, s.Kernel.WaysUnknown = open.ways, open.unknown
		if d := permission(t, Of(s, p), "net.connect_tcp"); d.WhereText() != andMore+want {
			t.Errorf("%q, want %q", d.WhereText(), andMore+want)
		}
	}
	s.Domains[0].Handled[access.Net] = 1
	s.Domains[0].Ruleset = &domainid.Ruleset{Ports: []domainid.PortRule{{Port: 0, Net: 1}}}
	s.Kernel.Ways = way("net.bind_tcp", "listen") | way("net.bind_tcp", "mptcp")
	const zero = "only 0 (one that the kernel picks); on this kernel MPTCP can get past that"
	if d := permission(t, Of(s, p), "net.bind_tcp"); d.WhereText() != zero {
		t.Errorf("%q, want %q", d.WhereText(), zero)
	}
	s.Domains[0].Ruleset.Ports[0].Port = 80
	const other = "only 80, but by MPTCP and listening without bind(2) (this kernel)"
	if d := permission(t, Of(s, p), "net.bind_tcp"); d.WhereText() != other {
		t.Errorf("%q, want %q", d.WhereText(), other)
	}
}

// TestAllRights: all rights to files that go together are put in a few words, and others are
// one a line, below where they are granted.
func TestAllRights(t *testing.T) {
	every := access.Rights{access.FS: 1<<16 - 1}
	s, p := host([]domainid.Domain{layer(-1, every, domainid.Ruleset{})}, 0)
	wants(t, textOf(t, Of(s, p)), "\n  Files, nowhere:\n    - do anything with files (16 rights)\n",
		"    - connect to Unix sockets outside that have a path: yes (this kernel cannot")
	s.Domains[0].Handled[access.FS] = 1<<13 - 1
	s.Kernel.ABI, s.Kernel.Rights = 1, access.Exactly(access.Supported(1))
	wants(t, textOf(t, Of(s, p)),
		"\n  Files, nowhere:\n    - do anything with files that this kernel can restrict (13 rights)\n",
		"\n    - link or rename a file from one directory to another (fs.refer)\n"+
			"    - truncate a file (fs.truncate)\n")
	s.Domains[0].Ruleset.Inodes = []domainid.InodeRule{{Dev: 1, Ino: 1, FS: readFile}}
	never(t, textOf(t, Of(s, p)), "do anything")
}

// TestWrap: lines are broken between words, but never within what others chose, and
// not where there is no terminal.
func TestWrap(t *testing.T) {
	e := untrustedTexts()
	var whole bytes.Buffer
	if err := e.Text(&whole, true, 0); err != nil {
		t.Fatal(err)
	}
	for _, columns := range []int{1, 40, 80, 200} {
		var b bytes.Buffer
		if err := e.Text(&b, true, columns); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			line = strings.TrimSuffix(line, "\n")
			long := strings.Contains(strings.TrimLeft(line, " -"), " ")
			if most := max(columns, untrusted.MinWidth); len(line) > most && long {
				if words := strings.Fields(line); len(words) > 2 {
					t.Errorf("%d columns, want %d: %q", len(line), most, line)
				}
			}
		}
		got, want := strings.Fields(b.String()), strings.Fields(whole.String())
		if !slices.Equal(got, want) {
			t.Errorf("%d columns: the words are not the same", columns)
		}
	}
}

func TestTogether(t *testing.T) {
	e := &Explanation{Places: map[File]string{{1, 1}: "/a", {1, 2}: "/a/b", {1, 3}: "/ab", {1, 4}: "/", {1, 5}: "/c\x1b"}}
	files := func(numbers ...uint64) domainid.Limit {
		var l domainid.Limit
		for _, n := range numbers {
			l.Files = append(l.Files, domainid.InodeRule{Dev: 1, Ino: n})
		}
		return l
	}
	for _, c := range []struct {
		limits []domainid.Limit
		want   string
		known  bool
	}{
		{[]domainid.Limit{files(1, 2, 3)}, "/a /ab", true},
		{[]domainid.Limit{files(1, 3), files(2)}, "/a/b", true},
		{[]domainid.Limit{files(2), files(3)}, "", true},
		{[]domainid.Limit{files(4), files(2, 3)}, "/a/b /ab", true},
		{[]domainid.Limit{files(4), files(9)}, "", false},
	} {
		got, known := e.Together(limited(c.limits...))
		if strings.Join(got, " ") != c.want || known != c.known {
			t.Errorf("%v: %q, %v; want %q, %v", c.limits, got, known, c.want, c.known)
		}
	}
	more := files(1)
	more.More = true
	if _, known := e.Together(limited(more)); known {
		t.Error("known, although there are more rules")
	}
}

func limited(limits ...domainid.Limit) *Permission {
	return &Permission{Allowed: domainid.Allowed{Effect: domainid.Limited, Limits: limits}}
}

// untrustedTexts is an explanation full of what others chose.
func untrustedTexts() *Explanation {
	outer := layer(-1, access.Rights{access.FS: readFile | writeFile | resolve | 1<<20, access.Net: 3, access.Scope: 3}, domainid.Ruleset{
		Rules: 9, PortsLeftOut: 3, InodesLeftOut: 1,
		Ports:  []domainid.PortRule{{Port: 0, Net: 1}, {Port: 8000, Net: 1}, {Port: 8001, Net: 1}, {Port: 8002, Net: 1}},
		Inodes: []domainid.InodeRule{{Dev: 0x801, Ino: 2, FS: writeFile, FSRoot: true}, {Dev: 0x801, Ino: 77, FS: writeFile}},
	})
	outer.Creator = domainid.Creator{PID: 99, UID: 33, Comm: "a\x1b]0;x\x07", Exe: "/bin/\u202egnp"}
	outer.Log, outer.Denials = domainid.LogDisabled, 1
	inner := layer(0, access.Rights{access.FS: writeFile}, domainid.Ruleset{Rules: 1, Inodes: []domainid.InodeRule{{Dev: 0x801, Ino: 78, FS: writeFile}}})
	inner.Depth, inner.ID = 2, 0x1e67bda19
	other := layer(-1, access.Rights{access.FS: 1}, domainid.Ruleset{})
	other.ID = 0x300000001
	s, p := host([]domainid.Domain{outer, inner, other}, 1, 1, 2, -1)
	s.Views[1].Everywhere = []uint32{readFile}
	copy(p.Comm[:], "x\n- y\x1b[2J")
	p.Exe, p.Seccomp, p.NoNewPrivs, p.UserNS = "/tmp/\xff", scan.OfSome, scan.OfAll, 5
	p.UIDsDiffer, s.Tasks[1].UID, s.Tasks[2].UID = true, 33, 65534
	s.Tasks[3].Hardening = scan.SeccompFilter
	s.Workloads = []scan.Workload{{Name: "a", FullName: "a\u200b"}}
	p.Workload = 0
	e := Of(s, p)
	e.Roots = &Roots{All: []Root{
		{TIDs: []int32{100, 101, 102}, Path: "/srv/j\x1b[31m", Own: true},
		{TIDs: []int32{103}, Path: "/", Own: true, OtherMounts: true,
			Mounted: &Mounted{"/a\x07", "fuse.\u202e", "0:5"}},
	}}
	e.Gone = map[File]bool{{0x801, 2}: true}
	e.Places = map[File]string{{0x801, 77}: "/srv/\x1b[31m", {0x801, 78}: "/srv/\x1b[31m/x"}
	e.Rules = []policy.Explanation{
		{Rule: &policy.Rule{Name: "web", Severity: "critical"}, Applies: access.Yes, Result: policy.Violating, Reason: policy.Partial, Why: "some\x1b tasks"},
		{Rule: &policy.Rule{Name: "db", Severity: "info"}, Applies: access.No, Why: "unit does not match"},
	}
	e.Sockets = &Sockets{
		Reachable: []Socket{{Name: "/run/\x1b]0;x\x07", Holders: []int32{100, 7}}, {Name: "a\x00b\xff", Abstract: true, Datagram: true, Doubt: "who\nknows"}},
		Listening: 9, Inside: 1, Kept: Kept{1, 2, 3}, Gaps: []string{"a gap"},
	}
	at := time.Unix(1_750_000_100, 0)
	e.Denials = &Denials{Way: "audit", Fed: true, Lost: 2, Remembered: 30, Last: []denials.Denial{
		{Time: at, Count: 3, Domain: 0x1e67bda0b, Blockers: []string{"fs.read_file", "fs.write_file"}, PID: 100, TID: 101, Comm: "a\x1b", Exe: "/\u202e", Object: denials.File, Path: "/etc/\x1b[31m\u202e"},
		{Time: at, Count: 1, Blockers: []string{"net.connect_tcp"}, PID: 100, Object: denials.Port, Port: 25},
		{Time: at, Count: 1, Blockers: []string{"ptrace"}, PID: 100, Object: denials.Task, TargetPID: 1, Path: "in\nit"},
		{Time: at, Count: 1, Blockers: []string{"scope.abstract_unix_socket"}, PID: 100, Object: denials.Socket, Path: "@x\x00"},
		{Time: at, Count: 1, Blockers: []string{"fs.change_topology"}, PID: 100},
		{Time: at, Count: 1, Blockers: []string{"fs.bit30"}, PID: 100, Object: denials.File, Path: "/a b"},
		{Time: at, Count: 1, PID: 100},
	}}
	for range 5 {
		e.Denials.Last = append(e.Denials.Last, e.Denials.Last[1])
	}
	return e
}

func TestGoldenText(t *testing.T) {
	for _, ascii := range []bool{false, true} {
		var b bytes.Buffer
		if err := untrustedTexts().Text(&b, ascii, 0); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r < ' ' && r != '\n' || r == '\u202e' || r == '\u200b' || r == '\ufffd' || ascii && r > '~' {
				t.Fatalf("%q:\n%s", r, b.String())
			}
		}
		if ascii {
			continue
		}
		const file = "testdata/untrusted.txt"
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s differs; go test ./internal/explain -update writes it. Got:\n%s", file, b.String())
		}
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := untrustedTexts().JSON(&b); err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(b.Bytes(), "\x1b\x07\u202e\u200b") {
		t.Errorf("untrusted text stands there as it is:\n%s", b.String())
	}
	var j struct {
		Schema    string
		Domains   []any
		Rulesets  []any
		Sandboxes []struct {
			Threads int
			Layers  []string
			May     []struct{ Rights []string }
		}
		Sockets struct{ Reachable []struct{ Holders []any } }
		Denials struct {
			NotKnown *string `json:"not_known"`
			Way      string
			Lost     int
			Last     []denials.Denial
		}
	}
	if err := json.Unmarshal(b.Bytes(), &j); err != nil {
		t.Fatal(err)
	}
	if j.Schema != Schema || len(j.Domains) != 3 || len(j.Rulesets) != 3 || len(j.Sandboxes) != 2 || len(j.Sandboxes[0].Layers) != 2 || len(j.Sockets.Reachable) != 2 || len(j.Sockets.Reachable[0].Holders) != 1 {
		t.Errorf("%+v", j)
	}
	if d := j.Denials; d.NotKnown != nil || d.Way != "audit" || d.Lost != 2 || len(d.Last) != 12 || d.Last[0].Path != "/etc/\x1b[31m\u202e" || d.Last[0].Count != 3 {
		t.Errorf("%+v", d)
	}
	rights := map[string]int{}
	for _, d := range j.Sandboxes[0].May {
		for _, r := range d.Rights {
			rights[r]++
		}
	}
	if len(rights) != len(access.All())+1 || rights["fs.bit20"] != 1 || rights["fs.read_file"] != 1 {
		t.Errorf("rights %v", rights)
	}
}

func TestAbove(t *testing.T) {
	domains := []domainid.Domain{{Parent: -1}, {Parent: 0}, {Parent: 1}, {Parent: 0}}
	s := &scan.Snapshot{Domains: domains}
	for _, c := range []struct {
		mine, theirs int32
		want         []int32
	}{
		{2, -1, []int32{2, 1, 0}}, // outside of all
		{2, 0, []int32{2, 1}},
		{2, 3, []int32{2, 1}},
		{2, 2, nil},
		{1, 2, nil}, // nested in mine
		{1, 3, []int32{1}},
	} {
		if got := Above(s, c.mine, c.theirs); !slices.Equal(got, c.want) {
			t.Errorf("from %d to %d: layers %v, want %v", c.mine, c.theirs, got, c.want)
		}
	}
}
