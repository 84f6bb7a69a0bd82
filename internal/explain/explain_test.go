// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

var update = flag.Bool("update", false, "write testdata")

// host is a snapshot of ABI 7 with one process, whose tasks are in the domains.
func host(domains []domainid.Domain, tasks ...int32) (*scan.Snapshot, *scan.Process) {
	s := &scan.Snapshot{
		Time: time.Unix(1_750_000_000, 0), Uptime: time.Hour,
		Kernel:  scan.Kernel{Landlock: scan.Enabled, ABI: 7},
		Source:  scan.SourceInfo{Name: "taskiter", Rules: "read", Denials: "counters", Lineage: "known"},
		Domains: domains,
	}
	p := scan.Process{PID: 100, Start: uint64(30 * time.Minute), State: scan.Sandboxed, Depth: 1, NumTasks: int32(len(tasks)), UserNS: scan.InitUserNS, Workload: scan.NoWorkload}
	copy(p.Comm[:], "sh")
	p.Restricted = access.Rights{access.FS: ^uint32(0), access.Net: ^uint32(0), access.Scope: ^uint32(0)}
	for i, d := range tasks {
		t := scan.Task{TID: 100 + int32(i), State: scan.Sandboxed, Domain: d}
		if d < 0 {
			t.State, p.State, p.Depth = scan.Unsandboxed, scan.Partial, 0
		} else {
			p.Restricted = p.Restricted.Intersect(domainid.Restricted(domains, d))
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

func deed(t *testing.T, e *Explanation, right string) *Deed {
	t.Helper()
	for i := range e.Sandboxes[0].Deeds {
		d := &e.Sandboxes[0].Deeds[i]
		if slices.ContainsFunc(d.Rights, func(r access.Right) bool { return r.Name == right }) {
			return d
		}
	}
	t.Fatalf("nothing is said of %s", right)
	return nil
}

func TestDeeds(t *testing.T) {
	outer := layer(-1, access.Rights{access.FS: readFile | writeFile, access.Net: 3, access.Scope: 1}, domainid.Ruleset{
		Everywhere: access.Rights{access.FS: readFile},
		Ports:      []domainid.PortRule{{Port: 53, Net: 2}, {Port: 443, Net: 2}, {Port: 8080, Net: 1}},
		Inodes:     []domainid.InodeRule{{Dev: 8, Ino: 7, FS: writeFile}},
	})
	inner := layer(0, access.Rights{access.Net: 2}, domainid.Ruleset{Ports: []domainid.PortRule{{Port: 443, Net: 2}, {Port: 444, Net: 2}}})
	inner.Depth, inner.ID = 2, 0x1e67bda19
	s, p := host([]domainid.Domain{outer, inner}, 1)
	e := Of(s, p)
	for right, want := range map[string]struct {
		may   May
		why   Why
		where string
	}{
		"fs.read_file":               {Everywhere, RulesGrant, "everywhere (its rules grant that)"},
		"fs.write_file":              {Limited, Restricted, "only below these"},
		"fs.execute":                 {Everywhere, SandboxDoesNot, "everywhere (this sandbox does not restrict it)"},
		"fs.resolve_unix":            {Everywhere, KernelCannot, "yes (this kernel cannot restrict it; Linux 7.1 can)"},
		"net.bind_tcp":               {Limited, Restricted, "only 8080"},
		"net.connect_tcp":            {Limited, Restricted, "only 443"},
		"net.bind_udp":               {Everywhere, KernelCannot, "all (this kernel cannot restrict it; Linux 7.2 can)"},
		"scope.abstract_unix_socket": {Nowhere, Restricted, "no"},
		"scope.signal":               {Everywhere, SandboxDoesNot, "yes (this sandbox does not restrict it)"},
	} {
		if d := deed(t, e, right); d.May != want.may || d.Why != want.why || d.Where() != want.where {
			t.Errorf("%s: %v, %v, %q; want %v, %v, %q", right, d.May, d.Why, d.Where(), want.may, want.why, want.where)
		}
	}

	// What was not read is not told.
	p.RulesUnread = true
	if d := deed(t, Of(s, p), "net.connect_tcp"); d.May != Unknown || d.Why != RulesUnread {
		t.Errorf("unread: %v, %v", d.May, d.Why)
	}
	p.RulesUnread = false
	s.Domains[1].Lineage = domainid.LineageInferred
	if d := deed(t, Of(s, p), "fs.execute"); d.May != Unknown || d.Why != LayersUnknown {
		t.Errorf("layers that are not known: %v, %v", d.May, d.Why)
	}
	if d := deed(t, Of(s, p), "scope.abstract_unix_socket"); d.May != Nowhere {
		t.Errorf("a layer is known to close it: %v", d.May)
	}
	s.Domains[1].Lineage = domainid.LineageKnown

	// A source that tells nothing of what is handled.
	plain := layer(-1, access.Rights{}, domainid.Ruleset{})
	plain.Ruleset, plain.Lineage = nil, domainid.LineageInferred
	s2, p2 := host([]domainid.Domain{plain}, 0)
	s2.Source.Rules, p2.Restricted = "none", access.Rights{}
	for right, want := range map[string]May{"fs.read_file": Unknown, "scope.signal": Unknown, "net.bind_udp": Everywhere} {
		if d := deed(t, Of(s2, p2), right); d.May != want {
			t.Errorf("nothing is known of the layers: %s %v, want %v", right, d.May, want)
		}
	}
	// One that reads no rules: handled is known, what is granted is not.
	unread := outer
	unread.Ruleset = nil
	s3, p3 := host([]domainid.Domain{unread}, 0)
	s3.Source.Rules = "unread"
	for right, want := range map[string]May{"fs.read_file": Unknown, "fs.execute": Everywhere, "scope.abstract_unix_socket": Nowhere} {
		if d := deed(t, Of(s3, p3), right); d.May != want {
			t.Errorf("no rules are read: %s %v, want %v", right, d.May, want)
		}
	}

	// In another root directory than that through which the rules were read.
	p.Restricted[access.FS] |= readFile
	if d := deed(t, Of(s, p), "fs.read_file"); d.May == Everywhere {
		t.Errorf("another root directory: %v, %v", d.May, d.Why)
	}
	p.Restricted[access.FS] &^= writeFile
	if d := deed(t, Of(s, p), "fs.write_file"); d.May != Everywhere || d.Why != RulesGrant {
		t.Errorf("a root directory that a rule is on: %v, %v", d.May, d.Why)
	}
}

// What is said of rights is what the layers grant, tried on every port and file.
func TestDeedsAgree(t *testing.T) {
	var seen [4]int
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 5))
		var domains []domainid.Domain
		depth := 1 + r.IntN(3)
		for i := range depth {
			handled := access.Rights{access.FS: r.Uint32()&0xf | 1<<8, access.Net: r.Uint32() & 3}
			rs := domainid.Ruleset{Everywhere: access.Rights{access.FS: handled[access.FS] & r.Uint32() & r.Uint32(), access.Net: handled[access.Net] & r.Uint32() & r.Uint32()}}
			for port := range uint16(4) {
				if r.IntN(2) == 0 {
					rs.Ports = append(rs.Ports, domainid.PortRule{Port: port, Net: handled[access.Net] & r.Uint32()})
				}
			}
			for ino := range uint64(4) {
				if r.IntN(2) == 0 {
					rs.Inodes = append(rs.Inodes, domainid.InodeRule{Dev: 1, Ino: ino, FS: handled[access.FS] & r.Uint32()})
				}
			}
			d := layer(int32(i)-1, handled, rs)
			d.Depth, d.ID = uint16(i+1), domainid.ID(i+1)
			domains = append(domains, d)
		}
		s, p := host(domains, int32(depth-1))
		for _, d := range Of(s, p).Sandboxes[0].Deeds {
			seen[d.May]++
			for _, right := range d.Rights {
				for object := range uint16(5) { // 4 is named by no rule
					truth := true
					for i := range domains {
						truth = truth && grants(&domains[i], right, object)
					}
					says := d.May == Everywhere
					if d.May == Limited && right.Class == access.Net {
						says = slices.Contains(d.Ports, object)
					} else if d.May == Limited {
						says = !slices.ContainsFunc(d.Limits, func(l Limit) bool {
							return !slices.ContainsFunc(l.Files, func(f domainid.InodeRule) bool { return f.Ino == uint64(object) })
						})
					}
					if says != truth || d.May == Unknown {
						t.Fatalf("seed %d: %s on %d: %v, but says %+v", seed, right.Name, object, truth, d)
					}
				}
			}
		}
	}
	if seen[Everywhere] < 100 || seen[Limited] < 100 || seen[Nowhere] < 100 {
		t.Errorf("%v: this says little", seen)
	}
}

func grants(d *domainid.Domain, r access.Right, object uint16) bool {
	if !r.In(d.Handled) || r.In(d.Ruleset.Everywhere) {
		return true
	}
	for _, p := range d.Ruleset.Ports {
		if r.Class == access.Net && p.Port == object && p.Net&r.Rights()[access.Net] != 0 {
			return true
		}
	}
	for _, n := range d.Ruleset.Inodes {
		if r.Class == access.FS && n.Ino == uint64(object) && n.FS&r.Rights()[access.FS] != 0 {
			return true
		}
	}
	return false
}

func TestTogether(t *testing.T) {
	e := &Explanation{Places: map[File]string{{1, 1}: "/a", {1, 2}: "/a/b", {1, 3}: "/ab", {1, 4}: "/", {1, 5}: "/c\x1b"}}
	files := func(numbers ...uint64) Limit {
		var l Limit
		for _, n := range numbers {
			l.Files = append(l.Files, domainid.InodeRule{Dev: 1, Ino: n})
		}
		return l
	}
	for _, c := range []struct {
		limits []Limit
		want   string
		known  bool
	}{
		{[]Limit{files(1, 2, 3)}, "/a /ab", true},
		{[]Limit{files(1, 3), files(2)}, "/a/b", true},
		{[]Limit{files(2), files(3)}, "", true},
		{[]Limit{files(4), files(2, 3)}, "/a/b /ab", true},
		{[]Limit{files(4), files(9)}, "", false},
	} {
		got, known := e.Together(&Deed{Limits: c.limits})
		if strings.Join(got, " ") != c.want || known != c.known {
			t.Errorf("%v: %q, %v; want %q, %v", c.limits, got, known, c.want, c.known)
		}
	}
	if _, known := e.Together(&Deed{Limits: []Limit{files(1)}, More: true}); known {
		t.Error("known, although there are more rules")
	}
}

// hostile is an explanation full of what others chose.
func hostile() *Explanation {
	outer := layer(-1, access.Rights{access.FS: readFile | writeFile | resolve | 1<<20, access.Net: 3, access.Scope: 3}, domainid.Ruleset{
		Rules: 9, Everywhere: access.Rights{access.FS: readFile}, PortsLeftOut: 3, InodesLeftOut: 1,
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
	copy(p.Comm[:], "x\n- y\x1b[2J")
	p.Exe, p.Seccomp, p.NoNewPrivs, p.UserNS = "/tmp/\xff", 2, true, 5
	s.Workloads = []scan.Workload{{Name: "a", FullName: "a\u200b"}}
	p.Workload = 0
	e := Of(s, p)
	e.Places = map[File]string{{0x801, 77}: "/srv/\x1b[31m", {0x801, 78}: "/srv/\x1b[31m/x"}
	e.Rules = []policy.Explanation{
		{Rule: &policy.Rule{Name: "web", Severity: "critical"}, Applies: "yes", Outcome: policy.Violating, Reason: policy.Partial, Text: "some\x1b tasks"},
		{Rule: &policy.Rule{Name: "db", Severity: "info"}, Applies: "no", Why: "unit does not match"},
	}
	e.Sockets = &Sockets{
		Reachable: []Socket{{Name: "/run/\x1b]0;x\x07", Holders: []int32{100, 7}}, {Name: "a\x00b\xff", Abstract: true, Doubt: "who\nknows"}},
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
		if err := hostile().Text(&b, ascii); err != nil {
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
		const file = "testdata/hostile.txt"
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
	if err := hostile().JSON(&b); err != nil {
		t.Fatal(err)
	}
	if bytes.ContainsAny(b.Bytes(), "\x1b\x07\u202e\u200b") {
		t.Errorf("hostile text stands there as it is:\n%s", b.String())
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
	s := &scan.Snapshot{Domains: []domainid.Domain{{Parent: -1, Handled: access.Rights{access.Scope: 1}}, {Parent: 0}, {Parent: 1, Handled: access.Rights{access.Scope: 1}}, {Parent: 0}}}
	right, _ := access.Lookup("scope.abstract_unix_socket")
	for _, c := range []struct {
		mine, theirs int32
		want         []int32
	}{
		{2, -1, []int32{2, 0}}, // outside of all
		{2, 0, []int32{2}},
		{2, 3, []int32{2}},
		{2, 2, nil},
		{1, 2, nil}, // nested in mine
		{1, 3, nil}, // only mine handles, which does not
		{1, -1, []int32{0}},
	} {
		if got := Handling(s, Above(s, c.mine, c.theirs), right); !slices.Equal(got, c.want) {
			t.Errorf("from %d to %d: layers %v, want %v", c.mine, c.theirs, got, c.want)
		}
	}
}
