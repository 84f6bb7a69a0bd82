// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// explained is what explain's JSON has of a sandbox.
type explained struct {
	Ineffective string          `json:"ineffective"`
	Roots       []explainedRoot `json:"root_directories"`
	Domains     []struct {
		RulesetIndex *int `json:"ruleset_index"`
	} `json:"domains"`
	Whole *struct {
		Restricts []string `json:"restricts"`
	} `json:"as_a_whole"`
	Sandboxes []explainedSandbox `json:"sandboxes"`
}

type explainedRoot struct {
	TIDs   []int  `json:"tids"`
	Path   string `json:"path"`
	Own    bool   `json:"of_its_own"`
	Mounts bool   `json:"mount_namespace_of_its_own"`
}

type explainedSandbox struct {
	TIDs    []int `json:"tids"`
	ByLayer []struct {
		Handles   []string `json:"handles"`
		Restricts []string `json:"restricts"`
	} `json:"by_layer"`
	Effective string `json:"effective"`
	May       []struct {
		Rights []string `json:"rights"`
		May    string   `json:"may"`
		Below  []struct {
			Files []struct{ Path *string } `json:"files"`
		} `json:"below"`
	} `json:"may"`
}

// TestExplainOfRoots: what a domain lets do depends on the root directory, whatever
// was looked at first. What is said is what the threads have tried.
func TestExplainOfRoots(t *testing.T) {
	testenv.NeedRoot(t)
	for _, layout := range []string{"chroot", "bind", "pivot"} {
		for _, order := range []string{"in,out", "out,in"} {
			for _, threads := range []bool{false, true} {
				names := strings.Split(order, ",")
				if layout == "pivot" {
					names = append(names, "old")
				}
				t.Run(fmt.Sprintf("%s/%s/threads=%v", layout, order, threads), func(t *testing.T) {
					testRoots(t, layout, names, threads)
				})
			}
		}
	}
}

func testRoots(t *testing.T, layout string, names []string, threads bool) {
	p := stay(t, false, self, roleArg, "roots", layout, testenv.PublicDir(t), strings.Join(names, ","),
		fmt.Sprint(threads))
	eventually(t, "the processes have tried",
		func() bool { return p.ended() || strings.Contains(p.stdout.String(), "ready\n") })
	if p.ended() {
		t.Fatalf("the processes ended: %s", &p.stderr)
	}
	all := saidOf(t, p)
	free := 0
	for _, r := range all {
		if r.Makes["/"] {
			free++
		}
	}
	if len(all) != len(names) || free == 0 || free == len(all) {
		t.Fatalf("the test is wrong: %+v", all)
	}
	for _, r := range all {
		text, e := explainKnown(t, r.PID)
		checkRooted(t, &r, &e, layout != "chroot")
		anyFree := r.Makes["/"] || threads // another thread is
		ineffective := strings.Contains(text, "restricted in nothing (ineffective)\n")
		if ineffective != anyFree || e.Ineffective != yesNo(anyFree) {
			t.Errorf("%s: ineffective %v and %q, want %v:\n%s", r.Name, ineffective, e.Ineffective,
				anyFree, text)
		}
		switch layerLine := fmt.Sprintf("; handles 4 rights, restricts %d, has 1 rule;",
			restrictsOf(&r)); {
		case !strings.Contains(text, layerLine):
			t.Errorf("%s: it does not say %q:\n%s", r.Name, layerLine, text)
		case threads && len(e.Sandboxes) != 2:
			t.Errorf("%d sandboxes:\n%s", len(e.Sandboxes), text)
		case threads:
			wants(t, text, "As a whole it may do what any of its threads may",
				"In all of them this is restricted: nothing.",
				"is sandboxed at depth 1, but restricted in nothing", "in 2 sandboxes that differ")
		}
	}
}

// explainKnown explains a process, as text and as JSON, when all is known: on a host
// where very much goes on, one scan may leave something out, and says so.
func explainKnown(t *testing.T, pid int) (text string, e explained) {
	t.Helper()
	eventually(t, "all is known of the process", func() bool {
		text = explain(t, fmt.Sprint(pid))
		e = explained{}
		if err := json.Unmarshal([]byte(explain(t, fmt.Sprint(pid), "-o", "json")), &e); err != nil {
			t.Fatal(err)
		}
		return e.Ineffective != "unknown" && !strings.Contains(text, " not known: ")
	})
	return text, e
}

// TestExplainWithoutLeader: of a process whose first thread has exited, the others
// are looked at.
func TestExplainWithoutLeader(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	p := stay(t, true, self, roleArg, "sandbox", "1", self, roleArg, "leaderless", dir)
	pid := fmt.Sprint(p.cmd.Process.Pid)
	eventually(t, "its leader has exited", func() bool {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		return err == nil && strings.Contains(string(stat), ") Z ")
	})
	wants(t, explain(t, pid, "--sockets"), "is sandboxed at depth 1\n",
		"  root        "+dir+", a directory of its own\n", "\nUnix sockets outside")
}

// TestExplainStaleGrant: a rule on a file that was replaced by rename(2) is named, as the process
// does not find the file any more.
func TestExplainStaleGrant(t *testing.T) {
	testenv.NeedRoot(t)
	const ioctlDev = 1 << 15
	dir := testenv.PublicDir(t)
	kept := write(t, filepath.Join(dir, "kept"), "", 0o644)
	replaced := write(t, filepath.Join(dir, "replaced"), "", 0o644)
	p := stay(t, true, self, roleArg, "box",
		fmt.Sprintf("fs=%#x,below=%#x:%s,below=%#x:%s", ioctlDev, ioctlDev, kept, ioctlDev, replaced),
		self, roleArg, "leaderless", dir)
	if err := os.Rename(write(t, filepath.Join(dir, "new"), "", 0o644), replaced); err != nil {
		t.Fatal(err)
	}
	var text string
	eventually(t, "its rules are read", func() bool {
		text = explain(t, fmt.Sprint(p.cmd.Process.Pid))
		return strings.Contains(text, "  Files, only below these:\n")
	})
	wants(t, text, "      /kept\n", "(a stale grant)\n    - use ioctl(2) on a device (fs.ioctl_dev)\n")
	if strings.Contains(text, "      /replaced\n") || strings.Count(text, "stale grant") != 1 {
		t.Errorf("the rule is not on what has the name now:\n%s", text)
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// restrictsOf is the number of rights that the domain restricts for a thread: all
// that it handles, or none.
func restrictsOf(r *rooted) int {
	if r.Makes["/"] {
		return 0
	}
	return 4
}

// checkRooted compares what is said of one thread with what it has tried.
func checkRooted(t *testing.T, r *rooted, e *explained, mounts bool) {
	t.Helper()
	own := r.Name != "out" || mounts
	at := slices.IndexFunc(e.Roots,
		func(root explainedRoot) bool { return slices.Contains(root.TIDs, r.TID) })
	if at < 0 || e.Roots[at].Own != own || e.Roots[at].Mounts != mounts {
		t.Errorf("%s: root directories %+v, want one of its own: %v, other mounts: %v", r.Name,
			e.Roots, own, mounts)
	}
	i := slices.IndexFunc(e.Sandboxes,
		func(b explainedSandbox) bool { return slices.Contains(b.TIDs, r.TID) })
	if i < 0 {
		t.Errorf("%s: thread %d is in no sandbox: %+v", r.Name, r.TID, e.Sandboxes)
		return
	}
	b := &e.Sandboxes[i]
	if len(b.ByLayer) != 1 || len(b.ByLayer[0].Handles) != 4 ||
		len(b.ByLayer[0].Restricts) != restrictsOf(r) || b.Effective != yesNo(!r.Makes["/"]) {
		t.Errorf("%s: layers %+v, effective %q, but it makes files: %v", r.Name, b.ByLayer,
			b.Effective, r.Makes)
	}
	for _, d := range e.Domains {
		if d.RulesetIndex == nil {
			t.Errorf("%s: a layer without its rules: %+v", r.Name, e.Domains)
		}
	}
	said := 0
	for _, d := range b.May {
		if !slices.Contains(d.Rights, "fs.make_reg") {
			continue
		}
		said++
		if want := map[bool]string{true: "everywhere",
			false: "limited"}[r.Makes["/"]]; d.May != want {
			t.Errorf("%s: a file may be made: %s, want %s", r.Name, d.May, want)
		}
		found := 0
		for _, l := range d.Below {
			for _, f := range l.Files {
				// Paths are as seen from the first of the root directories.
				if f.Path == nil || at != 0 {
					continue
				}
				if found++; !r.Makes[*f.Path] {
					t.Errorf("%s: a file may be made below %s, but of that it says %v", r.Name,
						*f.Path, r.Makes)
				}
			}
		}
		if r.Name == "out" && !mounts && found != 1 {
			t.Errorf("%s: %d paths of 1: %+v", r.Name, found, d.Below)
		}
	}
	if said != 1 {
		t.Errorf("%s: fs.make_reg stands there %d times", r.Name, said)
	}
}
