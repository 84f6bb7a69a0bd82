// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/known"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/vm"
)

// claims are what deploy/known.d says of programs, to be held against what they do.
type claims struct {
	programs []policy.Known
	// restricted are the rights that a program was restricted in whenever it was seen, and
	// seen are the tests, by name.
	restricted map[string]access.Rights
	seen       map[string][]string
	// abi is that of the kernel.
	abi int
}

func readClaims(t *testing.T) *claims {
	t.Helper()
	programs, err := policy.LoadKnown([]string{"../../deploy/known.d/*.yml"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range programs {
		// The tree of programs is not the host's.
		programs[i].Match.AnyMountNS = true
	}
	return &claims{
		programs: programs, restricted: map[string]access.Rights{}, seen: map[string][]string{},
	}
}

// of returns what is said of the program of a test.
func (c *claims) of(t *testing.T, name string) *policy.Known {
	t.Helper()
	at := slices.IndexFunc(c.programs, func(k policy.Known) bool { return slices.Contains(k.Tests, name) })
	if at < 0 {
		t.Fatalf("no program of deploy/known.d has the test %q", name)
	}
	return &c.programs[at]
}

// TestKnownNamesTests: each way to start a program is a test of one known program, and each test
// that a known program names is such a way.
func TestKnownNamesTests(t *testing.T) {
	var named, ways []string
	for _, k := range readClaims(t).programs {
		named = append(named, k.Tests...)
	}
	for _, p := range Catalog() {
		ways = append(ways, p.Name)
	}
	slices.Sort(named)
	slices.Sort(ways)
	if !slices.Equal(named, ways) {
		t.Errorf("known programs name the tests\n%q, want\n%q", named, ways)
	}
}

// check holds what is said of a program against a snapshot that has been found equal to what
// strace saw.
func (c *claims) check(t *testing.T, test string, snap *scan.Snapshot, trace Trace) {
	t.Helper()
	k := c.of(t, test)
	c.abi = snap.Kernel.ABI
	c.seen[k.Name] = append(c.seen[k.Name], test)
	if !k.Matches() {
		return // of what it starts nothing is said
	}
	traced := map[int32]bool{}
	for _, task := range trace.Tasks {
		traced[task.TID] = true
	}
	var meant []*scan.Process
	for i := range snap.Processes {
		p := &snap.Processes[i]
		if !traced[p.PID] {
			continue
		}
		about, why := k.Match.About(snap, p)
		inside := p.State == scan.Sandboxed || p.State == scan.Partial
		switch {
		case about == access.Yes:
			meant = append(meant, p)
		case about == access.Unknown || inside:
			t.Errorf("process %d (%s) is %s, and it is %s that %s means it: %s", p.PID, p.Exe, p.State,
				about, k.Name, why)
		}
	}
	if len(meant) == 0 {
		t.Fatalf("%s means none of the processes", k.Name)
	}
	whole := k.Who != policy.Thread || snap.Kernel.ABI >= k.ABI
	inside := 0
	for _, p := range meant {
		switch {
		case whole && p.State == scan.Sandboxed, !whole && p.State == scan.Partial:
			inside++
			sandbox, _ := snap.SandboxOf(p)
			rights, before := c.restricted[k.Name]
			if !before {
				rights = access.Every()
			}
			c.restricted[k.Name] = rights.Intersect(sandbox.Restricts.Sure)
		case k.Who != policy.Child:
			t.Errorf("process %d of %s is %s", p.PID, k.Name, p.State)
		}
	}
	want := known.Sandboxed
	if !whole || inside < len(meant) {
		want = known.Partial
	}
	// So much later the same would be said of what does not move.
	snap.Uptime += time.Minute
	if got := judge(snap, k); got.Verdict != want {
		t.Errorf("%s is %s, want %s: %q", k.Name, got.Verdict, want, got.Reasons)
	}
}

// judge returns what is said of a program on a host where it is installed nowhere.
func judge(snap *scan.Snapshot, k *policy.Known) known.Program {
	all := known.Judge(snap, []policy.Known{*k}, nil)
	if len(all) == 0 {
		return known.Program{Verdict: known.NotRunning}
	}
	return all[0]
}

// finish holds the rights that are said to be stable against those that programs were restricted
// in by all of their tests, among the rights that there were when they were looked at.
func (c *claims) finish(t *testing.T) {
	t.Helper()
	for i := range c.programs {
		k := &c.programs[i]
		if !k.Matches() || len(k.Tests) == 0 || k.When == policy.Launcher ||
			len(c.seen[k.Name]) != len(k.Tests) { // go test -run
			continue
		}
		then := access.Supported(min(c.abi, abiOf(t, k.Checked.Kernel)))
		got := access.Names(c.restricted[k.Name].Intersect(then))
		var want []string
		for _, name := range slices.Concat(k.Expect.Restricts, k.Sometimes) {
			right, ok := access.Lookup(name)
			if there := ok && !right.Rights().Intersect(then).Empty(); there &&
				(slices.Contains(k.Expect.Restricts, name) || slices.Contains(got, name)) {
				want = append(want, name)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s was restricted in\nrestricts: [%s]\nand deploy/known.d says\nrestricts: [%s]",
				k.Name, strings.Join(got, ", "), strings.Join(want, ", "))
		}
	}
}

// abiOf returns the ABI of a kernel release.
func abiOf(t *testing.T, release string) int {
	t.Helper()
	number := func(release string) int {
		var major, minor int
		if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
			t.Fatalf("%q: %v", release, err)
		}
		return major<<16 | minor
	}
	abi := 1
	for access.Release(abi+1) != "" && number(access.Release(abi+1)) <= number(release) {
		abi++
	}
	return abi
}

// TestKnownCommand: what "landlockd rules known" says of real programs that run at the same time:
// of one that nobody switched on, too, and of the same one switched on.
func TestKnownCommand(t *testing.T) {
	tree, source := open(t)
	landlockd := filepath.Join(t.TempDir(), "landlockd")
	if err := vm.GoBuild(t.Context(), "../..", runtime.GOARCH, landlockd, "./cmd/landlockd"); err != nil {
		t.Fatal(err)
	}
	off := Program{
		Name: "suricata, off", Package: "suricata",
		Run: "exec suricata --unix-socket=$HOME/socket -l $HOME",
	}
	want := map[string]known.Verdict{
		"suricata": known.Off, "sslh": known.Sandboxed, "zathura-sandbox": known.Partial,
		"localsearch-extractor": known.Sandboxed, "codex": known.Sandboxed,
	}
	byName := map[string]Program{}
	for _, p := range Catalog() {
		byName[p.Name] = p
	}
	end := start(t, tree, off)
	for _, p := range []Program{
		byName["sslh"], byName["zathura-sandbox"], byName["localsearch-extractor-3"], byName["codex"],
	} {
		start(t, tree, p)
	}
	k := readClaims(t).of(t, "suricata")
	expectVerdicts(t, landlockd, tree, want)
	snap, err := source.Scan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := judge(snap, k); got.ToDo != k.On {
		t.Errorf("to do: %q, want %q", got.ToDo, k.On)
	}
	end()
	start(t, tree, byName["suricata"])
	expectVerdicts(t, landlockd, tree, map[string]known.Verdict{"suricata": known.Sandboxed})
}

// start starts a program, and returns what ends it before the test does.
func start(t *testing.T, tree *Tree, p Program) (end func()) {
	t.Helper()
	r, err := tree.Start(p, testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	end = sync.OnceFunc(r.End)
	t.Cleanup(end)
	return end
}

// expectVerdicts waits until the command has the verdicts.
func expectVerdicts(t *testing.T, landlockd string, tree *Tree, want map[string]known.Verdict) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		out, err := exec.Command(landlockd, "rules", "known", "-o", "json", "--api.socket=",
			"--known.files=../../deploy/known.d/*.yml", "--path.rootfs="+tree.Dir).Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var said struct {
			Programs []struct{ Program, Verdict string }
		}
		if err := json.Unmarshal(out, &said); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, p := range said.Programs {
			got[p.Program] = p.Verdict
		}
		differ := false
		for name, verdict := range want {
			differ = differ || got[name] != verdict.String()
		}
		if !differ {
			return
		}
		if time.Since(began) > 2*patience {
			t.Fatalf("verdicts: %v, want %v\n%s", got, want, out)
		}
	}
}
