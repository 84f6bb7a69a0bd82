// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

// hurry is what its program is called.
var hurry = "hurry" + ownLetters()

// startHurry starts what does much in a short time, as nobody, in the tree but in no unit,
// so that its processes are called after their programs.
func startHurry(t *testing.T, tree cgroupTree, args ...string) *process {
	t.Helper()
	program, err := attack.Hurry(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(program, filepath.Join(filepath.Dir(program), hurry)); err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(filepath.Dir(program), hurry)
	return waitReady(t, stay(t, false, tree.inside("", nobody(t, append([]string{program}, args...)...)...)...))
}

// endHurry ends it, and returns how often it did what it does.
func endHurry(t *testing.T, p *process) int {
	t.Helper()
	p.stdin.Close()
	p.wait(t)
	lines := strings.Fields(p.stdout.String())
	n, err := strconv.Atoi(lines[len(lines)-1])
	if err != nil {
		t.Fatalf("%q: %s", &p.stdout, &p.stderr)
	}
	return n
}

// TestRenames: processes that change their names thousands of times are sandboxed all the time,
// and nothing of their names gets out.
func TestRenames(t *testing.T) {
	d, tree := startWatched(t, daemonOptions{})
	began := time.Now()
	p := startHurry(t, tree, "renames", "8")
	for scrapes := 0; scrapes < 5 || time.Since(began) < 2*time.Second; scrapes++ {
		m := d.scrape(t)
		m.checkWitnesses(t)
		if n := m.workload(hurry, "sandboxed"); n != 9 || m.workload(hurry, "unsandboxed") != 0 {
			t.Fatalf("%v of 9 are sandboxed", n)
		}
		checkPrintable(t, run(t, "tree").stdout.String())
	}
	took := time.Since(began)
	n := endHurry(t, p)
	t.Logf("%d names in %s", n, took)
	if n < 2000 {
		t.Errorf("only %d names", n)
	}
	checkPrintable(t, d.stderr.String())
}

// TestShortLives: beside 50 000 domains that come and go, the daemon says what is true, and
// keeps nothing of them.
func TestShortLives(t *testing.T) {
	const lives = 50_000
	d, tree := startWatched(t, daemonOptions{prefix: limitedMemory(t)})
	settle(t, d)
	before := d.scrape(t)
	end := time.Now().Add(6 * patience)
	for scrapes := 0; scrapes < 3; { // and begun again, where a scrape takes long
		p := startHurry(t, tree, "lives", strconv.Itoa(lives))
		for ; !p.ended(); scrapes++ {
			m := d.scrape(t)
			m.checkWitnesses(t)
			if m["landlock_nesting_depth_max"] != deepest {
				t.Errorf("depth %v", m["landlock_nesting_depth_max"])
			}
			if time.Now().After(end) {
				t.Fatal("it does not end")
			}
		}
		if n := endHurry(t, p); n < lives*99/100 {
			t.Errorf("%d lives", n)
		}
	}
	// Others of the host may come and go meanwhile.
	eventually(t, "as many domains and series are there as before", func() bool {
		after := d.scrape(t)
		after.checkWitnesses(t)
		return after["landlock_domains"] <= before["landlock_domains"]+10 && len(after) <= len(before)+20
	})
}

// stormSeen is of how many processes of a storm a test sees what is said, at least.
const stormSeen = 50

// looksOn reports whether a test goes on looking: for a while, and, however long a scrape takes,
// until it has seen enough.
func looksOn(began time.Time, enough bool) bool {
	took := time.Since(began)
	return took < 3*time.Second || !enough && took < patience
}

// TestForkStorm: of processes that were all born in a domain none is ever said to be outside.
func TestForkStorm(t *testing.T) {
	d, tree := startWatched(t, daemonOptions{})
	p := startHurry(t, tree, "forks", "50")
	var seen, unknown float64
	for began := time.Now(); looksOn(began, seen >= stormSeen); {
		m := d.scrape(t)
		m.checkWitnesses(t)
		seen += m.workload(hurry, "sandboxed")
		unknown += max(0, m.workload(hurry, "unknown"))
		if m.workload(hurry, "unsandboxed") > 0 || m.workload(hurry, "partial") > 0 {
			t.Fatalf("%v are unsandboxed, %v partial", m.workload(hurry, "unsandboxed"), m.workload(hurry, "partial"))
		}
	}
	endHurry(t, p)
	t.Logf("%v seen, %v unknown", seen, unknown)
	if seen < stormSeen {
		t.Errorf("only %v of the storm were seen", seen)
	}
}

// TestNests: of processes in ever deeper domains, each is where it is.
func TestNests(t *testing.T) {
	testenv.NeedRoot(t)
	// Each shell has the next one as a child, one domain deeper.
	nest := []string{"sh", "-c", "echo ready; read x"}
	for range deepest - 1 {
		nest = append([]string{"sh", "-c", `"$@"; exit`, "sh"}, sandboxed(1, nest...)...)
	}
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0"}})
	p := stay(t, true, sandboxed(1, nest...)...)
	pid, s, domains := p.cmd.Process.Pid, takeSnapshot(t), map[string]bool{}
	var pids []int
	own := map[int]int{}
	for depth := 1; depth <= deepest; depth++ {
		found := s.find(pid)
		if found == nil || found.State != "sandboxed" || found.Depth == nil || *found.Depth != depth {
			t.Fatalf("%d deep: %+v", depth, found)
		}
		domains[found.domain()] = true
		pids, own[depth] = append(pids, pid), 1
		if depth < deepest {
			next := s.child(pid, "sh")
			if next == nil {
				t.Fatalf("process %d has no child", pid)
			}
			pid = next.PID
		}
	}
	if len(domains) != deepest || domains[""] {
		t.Errorf("domains %v", domains)
	}
	checkCounts(t, d, pids, own)
}

// TestPIDsWrapAround: where PIDs are few and used again at once, each process is what it is.
func TestPIDsWrapAround(t *testing.T) {
	testenv.NeedRoot(t)
	var host unix.Utsname
	if err := unix.Uname(&host); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(host.Release[:]), "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	if major < 6 || major == 6 && minor < 14 {
		t.Skipf("kernel.pid_max is the host's own before Linux 6.14, this is %d.%d: a guest of test/kernels has it", major, minor)
	}
	storm, err := attack.Hurry(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	crowd, err := attack.Crowd(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	// Beside the daemon there are three processes 5 deep, the storm in one domain, and three
	// processes in none. PIDs below 300 are not used again.
	script := `mount -t proc proc /proc && echo 420 >/proc/sys/kernel/pid_max || exit 9
sleep 60 | "$1" domains 3 5 & sleep 60 | "$2" forks 8 & sleep 1; shift 2; exec "$@"`
	d := startDaemon(t, daemonOptions{
		prefix: []string{
			testenv.NeedTool(t, "unshare"), "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", script, "sh", crowd, storm,
		},
		args: []string{"--scan.min-interval=0"},
	})
	before, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil || strings.TrimSpace(string(before)) == "420" {
		t.Fatalf("the host has %s, %v", before, err)
	}
	seen := 0
	for began := time.Now(); looksOn(began, seen >= stormSeen) && !t.Failed(); {
		m := d.scrape(t)
		m.has(t, "landlockd_scan_success", 1)
		m.has(t, `landlock_processes{state="partial"}`, 0)
		m.has(t, `landlock_processes{state="unsandboxed"}`, 3)
		m.has(t, `landlock_processes_by_depth{depth="5"}`, 3)
		seen += m.state("sandboxed") - 5 // the daemon and the storm's first process, too
	}
	if seen < stormSeen {
		t.Errorf("only %d of the storm were seen", seen)
	}
}

// TestHiddenProcesses: processes that nobody may look at, where procfs shows nobody's
// processes, are known as all others are; what only procfs has of them is unknown.
func TestHiddenProcesses(t *testing.T) {
	forger, err := attack.Forger(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	testenv.NeedRoot(t)
	for _, hidden := range []string{"noaccess", "invisible", "ptraceable"} {
		t.Run(hidden, func(t *testing.T) {
			d, tree := startWatched(t, daemonOptions{prefix: []string{
				testenv.NeedTool(t, "unshare"), "--mount", "sh", "-c",
				`mount -t proc -o hidepid=` + hidden + ` proc /proc && exec "$@"`, "sh",
			}})
			tree.put("lltest-guarded.service", startForger(t, forger, "guarded", "/bin/true"))
			eventually(t, "the guarded process is named", func() bool {
				return d.scrape(t).workload("lltest-guarded.service", "unsandboxed") == 1
			})
			eventually(t, "nobody is unknown", func() bool {
				m := d.scrape(t)
				m.checkWitnesses(t)
				return m.state("unknown") == 0
			})
		})
	}
}
