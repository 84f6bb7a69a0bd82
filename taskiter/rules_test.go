// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/rulesets"
	"github.com/landlockd/landlockd/test/sandbox"
)

var testPorts = []uint16{1, 80, 443, 40001, 65535}

var rulesSeed = flag.Uint64("rules.seed", 0, "make the random sandboxes of this seed again")

// newSite makes a place to try accesses in.
func newSite(t testing.TB) *rulesets.Site {
	t.Helper()
	site, err := rulesets.NewSite(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { site.Close() })
	return site
}

// settle puts a thread in a sandbox until the test ends.
func settle(t testing.TB, s sandbox.Sandbox) *rulesets.Resident {
	t.Helper()
	r, err := rulesets.Settle(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Leave)
	return r
}

func maker(t testing.TB, site *rulesets.Site) (*rulesets.Maker, int) {
	t.Helper()
	abi, err := landlock.ABI()
	if err != nil {
		t.Fatal(err)
	}
	rights := landlock.Rights().Sure
	seed := cmp.Or(*rulesSeed, rand.Uint64())
	t.Logf("seed %d", seed)
	return &rulesets.Maker{
		Random: rand.New(rand.NewPCG(seed, 0)), Supported: rights,
		Dirs: append(site.Dirs(), "/proc", "/dev", "/"), Plain: site.Plain(), PortChoices: testPorts,
	}, abi
}

// TestRules: of 200 random sandboxes, what was read is what was asked for, and
// what their threads may do is what was read.
func TestRules(t *testing.T) {
	for name, opts := range map[string]Options{"kernel's IDs": {}, "derived IDs": {DeriveIDs: true}} {
		t.Run(name, func(t *testing.T) {
			s := openSource(t, opts)
			if s.Info().Rules != "read" {
				t.Fatalf("rules are %s: %s", s.Info().Rules, s.NoRules())
			}
			site := newSite(t)
			m, abi := maker(t, site)
			var all []*rulesets.Resident
			for n := range 200 {
				if err := site.Spare(n); err != nil {
					t.Fatal(err)
				}
				all = append(all, settle(t, m.Make(1+n%ruleLayers)))
			}
			for range 2 { // the second scan has what the first one read
				snap := mustScan(t, s)
				for n, r := range all {
					for _, err := range r.Compare(snap, abi) {
						t.Errorf("sandbox %d: %v", n, err)
					}
				}
			}
			for n, r := range all {
				for _, err := range r.Try(site, n, testPorts) {
					t.Errorf("sandbox %d: %v", n, err)
				}
			}
			passes := 0
			for range 20 { // processes of the host that change take more
				if passes = mustScan(t, s).Passes; passes == 1 {
					break
				}
			}
			if passes != 1 {
				t.Errorf("%d passes with nothing new", passes)
			}
		})
	}
}

// TestRulesOfRoots: what is granted on "/" depends on what "/" is to a process.
func TestRulesOfRoots(t *testing.T) {
	s := openSource(t, Options{})
	top := t.TempDir()
	for _, dir := range []string{"jail/inner", "mount"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"jail/f", "jail/inner/f"} {
		if err := os.WriteFile(filepath.Join(top, file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	jail, mount := filepath.Join(top, "jail"), filepath.Join(top, "mount")
	abi, err := landlock.ABI()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		ops        []string
		everywhere bool
	}{
		{"on the host's root", []string{"open", "/", "restrict", "try", jail + "/f"}, true},
		{"elsewhere", []string{"open", mount, "restrict", "try", jail + "/f"}, false},
		{"on the root of a jail", []string{"chroot", jail, "open", "/", "restrict", "try", "/f"}, true},
		{"in a jail, elsewhere", []string{"chroot", jail, "open", "/inner", "restrict", "try", "/f"}, false},
		{"above a jail", []string{"open", "/", "chroot", jail, "restrict", "try", "/f"}, true},
		{"above a jail entered later", []string{"open", "/", "restrict", "chroot", jail, "try", "/f"}, true},
		{"on what became a jail", []string{"open", jail + "/inner", "restrict", "chroot", jail + "/inner", "try", "/f"}, true},
		{"beside a mount that is the root", []string{"namespace", "bind", jail, mount, "open", mount + "/inner", "chroot", mount, "restrict", "try", "/f"}, false},
		{"on a mount that is the root", []string{"namespace", "bind", jail, mount, "open", mount, "chroot", mount, "restrict", "try", "/f"}, true},
		{"above a mount that is the root", []string{"namespace", "bind", jail, mount, "open", top, "chroot", mount, "restrict", "try", "/f"}, true},
		{"on what a mount hides", []string{"namespace", "open", mount, "bind", jail, mount, "chroot", mount, "restrict", "try", "/f"}, false},
		{"not above the mount's source", []string{"namespace", "bind", jail + "/inner", mount, "open", jail, "chroot", mount, "restrict", "try", "/f"}, false},
	} {
		a := startActor(t, append([]string{"rooted"}, c.ops...)...)
		if opened := a.tid == 0; opened != c.everywhere {
			t.Fatalf("%s: the kernel says %v: the test is wrong", c.name, unix.Errno(a.tid))
		}
		want := access.Rights{access.FS: readFile | readDir}
		if abi >= 2 {
			want[access.FS] |= access.Refer
		}
		if c.everywhere {
			want[access.FS] &^= readFile
		}
		for range 2 {
			snap, p := scanSettled(t, s, a.pid)
			if got, _ := snap.SandboxOf(p); got.Restricts != access.Exactly(want) || got.Doubt != 0 {
				t.Errorf("%s: restricts %v (%v), want %v", c.name, access.Names(got.Restricts.Sure), got.Doubt.Words(), access.Names(want))
			}
		}
	}

	// Two processes with one domain and two roots.
	a := startActor(t, "rooted", "open", jail, "restrict", "fork", "chroot", jail)
	for range 2 {
		snap, outer := scanSettled(t, s, a.pid)
		inner := mustFind(t, snap, a.pids[0])
		in, out := restricted(t, snap, inner), restricted(t, snap, outer)
		if in[access.FS]&(readFile|readDir) != readDir || out[access.FS]&(readFile|readDir) != readFile|readDir {
			t.Errorf("one domain: outside the jail %v, inside %v", access.Names(out), access.Names(in))
		}
		if snap.TasksOf(outer)[0].Domain != snap.TasksOf(inner)[0].Domain {
			t.Error("two domains")
		}
	}
}

// restricted returns what a process restricts, of which nothing may be unknown.
func restricted(t testing.TB, snap *scan.Snapshot, p *scan.Process) access.Rights {
	t.Helper()
	sandbox, _ := snap.SandboxOf(p)
	if !sandbox.Restricts.Unknown().Empty() || sandbox.Doubt != 0 {
		t.Errorf("process %d: %v is unknown: %v", p.PID, access.Names(sandbox.Restricts.Unknown()), sandbox.Doubt.Words())
	}
	return sandbox.Restricts.Sure
}

// handledBy returns what a domain and all that it is nested in handle.
func handledBy(snap *scan.Snapshot, domain int32) access.Rights {
	var r access.Rights
	for d := range domainid.Chain(snap.Domains, domain) {
		r = r.Union(snap.Domains[d].Handled)
	}
	return r
}

// TestRestrictedOfProcesses: a process restricts what all of its tasks in a
// domain do.
func TestRestrictedOfProcesses(t *testing.T) {
	s := openSource(t, Options{})
	a := startActor(t, "many", "20", "4")
	one := startActor(t, "thread-only", "2")
	snap, p := scanSettled(t, s, one.pid)
	var inside access.Rights
	for _, task := range snap.TasksOf(p) {
		if task.State == scan.Sandboxed {
			inside = inside.Union(handledBy(snap, task.Domain))
		}
	}
	if got := restricted(t, snap, p); p.State != scan.Partial || got != inside || inside.Empty() {
		t.Errorf("a process with a free task: %v, restricts %+v, want %+v", p.State, got, inside)
	}
	if got := restricted(t, snap, mustFind(t, snap, int32(os.Getpid()))); !got.Empty() {
		t.Errorf("this process restricts %+v", got)
	}
	for i, pid := range a.pids {
		p := mustFind(t, snap, pid)
		want := handledBy(snap, snap.TasksOf(p)[0].Domain)
		for d := range domainid.Chain(snap.Domains, snap.TasksOf(p)[0].Domain) {
			if r := snap.Domains[d].Ruleset; r == nil || r.Rules != 0 {
				t.Errorf("process %d has rules %+v", pid, r)
			}
		}
		if got := restricted(t, snap, p); got != want || want.Empty() || int(p.Depth) != 1+i%4 {
			t.Errorf("process %d restricts %+v, want %+v", pid, got, want)
		}
	}
}

// TestRulesWithoutLimit: ports and files beyond what is returned are counted,
// and what is granted everywhere is known all the same.
func TestRulesWithoutLimit(t *testing.T) {
	s := openSource(t, Options{RuleTime: defaultRuleTime})
	_, abi := maker(t, newSite(t))
	if abi < 4 {
		t.Fatal("this kernel has no rules on ports: run this test on Linux 6.7 or later")
	}
	top := t.TempDir()
	const bind, connect, readFile, dirs = 1, 2, 1 << 2, 1500
	var l sandbox.Layer
	l.Handled = access.Rights{access.FS: readFile, access.Net: bind | connect}
	l.Files, l.Ports = map[string]uint32{"/": readFile}, map[uint16]uint32{}
	for port := 1; port <= allPorts; port++ {
		l.Ports[uint16(port)] = bind | connect
	}
	l.Ports[allPorts] = bind // one is not granted
	for i := range dirs {
		dir := filepath.Join(top, strconv.Itoa(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		l.Files[dir] = readFile
	}
	r := settle(t, sandbox.Sandbox{l})
	var d *domainid.Domain
	var meaning domainid.Sandbox
	for range 100 { // so many rules are read in several scans
		snap := mustScan(t, s)
		for _, task := range snap.TasksOf(mustFind(t, snap, int32(os.Getpid()))) {
			if task.TID == r.TID {
				d, meaning = &snap.Domains[task.Domain], snap.Meaning().Task(task.Domain, task.View, 0, false)
			}
		}
		if d.Ruleset != nil {
			break
		}
		// What is granted on the root directory is known from the first scan on.
		if meaning.Restricts.May[access.FS]&readFile != 0 || meaning.Restricts.Unknown()[access.FS] != 0 {
			t.Fatalf("unread, restricts %+v", meaning.Restricts)
		}
		if meaning.Restricts.Unknown()[access.Net] != bind|connect || meaning.Doubt != domainid.RulesUnread {
			t.Fatalf("unread, restricts %+v, in doubt: %v", meaning.Restricts, meaning.Doubt.Words())
		}
		if snap.DomainsUnread < 1 { // others of the host may be, too
			t.Fatal("no domain is unread")
		}
	}
	if d == nil || d.Ruleset == nil {
		t.Fatalf("domain %+v", d)
	}
	rs := d.Ruleset
	if rs.EveryPort != bind || rs.Rules != allPorts+dirs+1 {
		t.Errorf("%d rules, on every port %#x", rs.Rules, rs.EveryPort)
	}
	if meaning.Restricts.Sure[access.Net] != connect || meaning.Restricts.May[access.Net] != connect || meaning.Restricts.May[access.FS]&readFile != 0 {
		t.Errorf("restricts %+v", meaning.Restricts)
	}
	if len(rs.Ports)+int(rs.PortsLeftOut) != allPorts || len(rs.Inodes)+int(rs.InodesLeftOut) != dirs+1 || len(rs.Ports)+len(rs.Inodes) != rulesMax {
		t.Errorf("%d ports and %d others, %d files and %d others", len(rs.Ports), rs.PortsLeftOut, len(rs.Inodes), rs.InodesLeftOut)
	}
}

// TestRulesAreShared: equal rules are kept once, from scan to scan, and no
// longer than a task has them.
func TestRulesAreShared(t *testing.T) {
	s := openSource(t, Options{})
	m, _ := maker(t, newSite(t))
	same := m.Make(3)
	a := settle(t, same)
	b, err := rulesets.Settle(same)
	if err != nil {
		t.Fatal(err)
	}
	of := func(snap *scan.Snapshot, r *rulesets.Resident) *domainid.Domain {
		for _, task := range snap.TasksOf(mustFind(t, snap, int32(os.Getpid()))) {
			if task.TID == r.TID {
				return &snap.Domains[task.Domain]
			}
		}
		t.Fatalf("no task %d", r.TID)
		return nil
	}
	first := mustScan(t, s)
	x, y := of(first, a), of(first, b)
	if x.ID == y.ID || x.Ruleset == nil || x.Ruleset != y.Ruleset {
		t.Errorf("domains %v and %v have rules at %p and %p", x.ID, y.ID, x.Ruleset, y.Ruleset)
	}
	b.Leave()
	second := mustScan(t, s)
	if of(second, a).Ruleset != x.Ruleset {
		t.Error("the next scan has the rules elsewhere")
	}
	book := &s.rulebook
	if len(book.layers) != len(second.Domains) || len(book.readings) > 0 {
		t.Errorf("%d layers and %d readings are kept for %d domains", len(book.layers), len(book.readings), len(second.Domains))
	}
	uses := 0
	for _, e := range book.shared.bySum {
		uses += e.uses
	}
	if uses != len(book.layers) {
		t.Errorf("%d uses of %d rulesets for %d layers", uses, len(book.shared.bySum), len(book.layers))
	}
}

// TestWithoutRules: where the program for rules does not load, everything else
// does.
func TestWithoutRules(t *testing.T) {
	needPrivileges(t)
	known := openSource(t, Options{})
	cache := btf.NewCache()
	types, err := cache.Kernel()
	if err != nil {
		t.Fatal(err)
	}
	o := opener{types: types, cache: cache, kernel: known.Kernel()}
	if err := o.parse(); err != nil {
		t.Fatal(err)
	}
	_, o.noRules = resolveRules(specOf(t, structOf("nothing", 4, at{"at_all", 0, typeU32})))
	st := state{Layout: known.state.Layout}
	st.Layout.Views = 0
	files, err := o.loadAll(&st)
	if err != nil || len(files) != rulesFile || st.NoRules == "" || st.NoWays == "" {
		t.Errorf("opened %v (%v): no rules, because %q, and no ways, because %q", files, err, st.NoRules, st.NoWays)
	}
	files.Close()
	if info := infoFor(layout{Landlock: 1}, false, false); info.Rules != "unread" {
		t.Errorf("rules are %s", info.Rules)
	}

	a := startActor(t, "rooted", "open", "/", "restrict")
	for _, read := range []bool{true, false} {
		s := openSource(t, Options{})
		if !read {
			s.files[rulesFile].Close()
			s.files = s.files[:rulesFile]
			s.state.Info.Rules = "unread"
		}
		snap, p := scanSettled(t, s, a.pid)
		d := snap.Domains[snap.TasksOf(p)[0].Domain]
		want := d.Handled
		if read {
			want[access.FS] &^= 1 << 2
		}
		if got := restricted(t, snap, p); got != want || (d.Ruleset != nil) != read || d.Handled[access.FS]&(1<<2) == 0 {
			t.Errorf("rules read: %v: restricts %+v, domain %+v", read, got, d)
		}
	}
}

// TestDomainDetails: which program made a domain, and whether its denials are
// logged, is known.
func TestDomainDetails(t *testing.T) {
	s := openSource(t, Options{})
	if s.state.Layout.Details == absent {
		t.Skip("this kernel does not keep who made a domain: Linux 6.15, CONFIG_AUDIT")
	}
	a := startActor(t, "rooted", "open", "/", "restrict")
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", a.pid))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		snap, p := scanSettled(t, s, a.pid)
		d := &snap.Domains[snap.TasksOf(p)[0].Domain]
		if d.Creator.Exe != exe || d.Creator.PID != a.pid || d.Log != domainid.LogPending {
			t.Errorf("created by %+v, log %v; want %s", d.Creator, d.Log, exe)
		}
	}
}
