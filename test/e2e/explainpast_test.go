// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// pastIt starts a program that tries to get past its sandbox, and returns its PID and
// what it did, by the right and the way; "-" is the way that the right covers.
func pastIt(t *testing.T, args ...string) (pid string, did map[string]map[string]bool) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "pastit")
	if out, err := exec.Command(testenv.NeedTool(t, "cc"), "-O2", "-Wall", "-static", "-o", program,
		"testdata/pastit.c").CombinedOutput(); err != nil {
		t.Fatalf("compile it: %v\n%s", err, out)
	}
	p := stay(t, false, append([]string{program}, args...)...)
	eventually(t, "it has tried", func() bool {
		return p.ended() ||
			strings.Contains(p.stdout.String(), "ready\n")
	})
	if p.ended() {
		t.Fatalf("it ended: %s", &p.stderr)
	}
	did = map[string]map[string]bool{}
	for line := range strings.Lines(p.stdout.String()) {
		if f := strings.Fields(line); len(f) == 3 {
			if did[f[0]] == nil {
				did[f[0]] = map[string]bool{}
			}
			did[f[0]][f[1]] = f[2] == "yes"
		}
	}
	for right, ways := range did {
		if ways["-"] {
			t.Fatalf("the test is wrong: %s is not restricted: %v", right, ways)
		}
	}
	return fmt.Sprint(p.cmd.Process.Pid), did
}

// TestExplainWays: by which ways a process gets past a right is what it can do here.
func TestExplainWays(t *testing.T) {
	testenv.NeedRoot(t)
	pid, did := pastIt(t, "ports")
	var e struct {
		Sandboxes []struct {
			May []struct {
				Rights []string `json:"rights"`
				May    string   `json:"may"`
				ButBy  []string `json:"but_by"`
				Where  string   `json:"where"`
			} `json:"may"`
		} `json:"sandboxes"`
	}
	var text string
	// Where very much goes on, one scan may leave a domain out, and says so.
	eventually(t, "its domain is read", func() bool {
		out := explain(t, pid, "-o", "json")
		text = explain(t, pid)
		if err := json.Unmarshal([]byte(out), &e); err != nil {
			t.Fatal(err)
		}
		return !strings.Contains(text+out, "not known: not all of its layers")
	})
	for _, d := range e.Sandboxes[0].May {
		ways, tried := did[d.Rights[0]]
		if !tried {
			continue
		}
		delete(did, d.Rights[0])
		if d.May != "nowhere" {
			t.Errorf("%s may be done %s", d.Rights[0], d.May)
		}
		for way, open := range ways {
			if way != "-" && slices.Contains(d.ButBy, way) != open {
				t.Errorf("%s by %s: %v, but it says %q", d.Rights[0], way, open, d.ButBy)
			}
		}
		if said := strings.Contains(d.Where, "none, but by "); said != (len(d.ButBy) > 0) ||
			!strings.Contains(text, ": "+d.Where+"\n") && !strings.Contains(text, ", "+d.Where+":\n") {
			t.Errorf("%s: %q, by %q:\n%s", d.Rights[0], d.Where, d.ButBy, text)
		}
	}
	if len(did) != 0 {
		t.Errorf("nothing is said of %v", did)
	}
}

// TestExplainWorker: an io_uring from before the sandbox is a way past it, and said
// to be one; one that was made in the sandbox is none.
func TestExplainWorker(t *testing.T) {
	testenv.NeedRoot(t)
	secret := write(t, filepath.Join(testenv.PublicDir(t), "secret"), "x", 0o600)
	for _, c := range []struct {
		how     string
		outside bool
	}{{"ring", true}, {"noring", false}} {
		pid, did := pastIt(t, c.how, secret)
		if did["fs.read_file"]["io_uring"] != c.outside {
			t.Fatalf("the test is wrong: %s: %v", c.how, did)
		}
		var text string
		var e struct {
			OutsideWorker string `json:"outside_worker"`
			Workers       []struct {
				TID     int    `json:"tid"`
				Outside string `json:"outside"`
			} `json:"workers"`
		}
		// Where very much goes on, one scan may leave a domain out, and says so.
		eventually(t, "all is known of the worker", func() bool {
			text = explain(t, pid)
			if err := json.Unmarshal([]byte(explain(t, pid, "-o", "json")), &e); err != nil {
				t.Fatal(err)
			}
			return e.OutsideWorker != "unknown" && !strings.Contains(text, "not known in which")
		})
		if len(e.Workers) != 1 || e.Workers[0].Outside != yesNo(c.outside) ||
			e.OutsideWorker != yesNo(c.outside) {
			t.Errorf("%s: %+v", c.how, e)
			continue
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%s/task/%d", pid, e.Workers[0].TID)); err != nil {
			t.Errorf("%s: %v", c.how, err)
		}
		said := strings.Contains(text,
			fmt.Sprintf("A worker that the kernel made for it (thread %d) may act outside of "+
				"its domains", e.Workers[0].TID))
		titled := strings.Contains(text, "and but for what its workers may do:\n")
		if said != c.outside || titled != c.outside {
			t.Errorf("%s: said %v, above the rights %v, want %v:\n%s", c.how, said, titled,
				c.outside, text)
		}
	}
}

// TestExplainPortZero: to bind port 0 takes a rule of its own, whatever the other ports
// have.
func TestExplainPortZero(t *testing.T) {
	testenv.NeedRoot(t)
	for first, want := range []string{
		"all (its rules grant that)", "all but 0 (one that the kernel picks): its rules grant that",
	} {
		pid, did := pastIt(t, "every", fmt.Sprint(first))
		if bind := did["net.bind_tcp"]; !bind["port"] || bind["0"] != (first == 0) {
			t.Fatalf("the test is wrong: rules from port %d on: %v", first, did)
		}
		var text string
		eventually(t, "its rules are read", func() bool {
			text = explain(t, pid)
			return !strings.Contains(text, "bind TCP ports: not known: ")
		})
		wants(t, text, "\n    - bind TCP ports: "+want+"\n")
	}
}

// TestExplainPartial: what is said of the sandbox of some threads is said of them.
func TestExplainPartial(t *testing.T) {
	testenv.NeedRoot(t)
	p := stay(t, true, self, roleArg, "partial")
	text := explain(t, fmt.Sprint(p.cmd.Process.Pid))
	wants(t, text, " is partial: 1 of its ", " from nothing: of its ", " in no domain may do everything.\n",
		"\nSandbox of 1 thread (",
		"\nWhat its 1 thread in this domain may still do, as far as Landlock goes; of its other "+
			"threads, ", " are in no domain and may do everything:\n")
	if strings.Contains(text, "What it may still do") {
		t.Errorf("it says of the process what is true of a thread:\n%s", text)
	}
}
