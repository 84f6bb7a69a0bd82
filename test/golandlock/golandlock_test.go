// SPDX-License-Identifier: Apache-2.0

package golandlock

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/rulesets"
	"github.com/landlockd/landlockd/test/sandbox"
	"github.com/landlockd/landlockd/test/testenv"
)

const (
	sandboxes = 200
	// batch is how many processes there are at a time.
	batch = 25
	// sample is of how many one tries what it may do.
	sample = 4
)

var rulesSeed = flag.Uint64("rules.seed", 0, "make the random sandboxes of this seed again")

var ports = []uint16{1, 80, 443, 40001, 65535}

// helper is a process in a sandbox.
type helper struct {
	order
	cmd   *exec.Cmd
	stdin io.WriteCloser
	says  answer
}

func start(t *testing.T, o order) *helper {
	t.Helper()
	h := &helper{order: o, cmd: exec.Command(os.Args[0])}
	h.cmd.Env = append(os.Environ(), helperEnv+"=1")
	h.cmd.Stderr = os.Stderr
	var err error
	if h.stdin, err = h.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(h.stdin).Encode(o); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &h.says)
	}
	if err != nil {
		t.Fatalf("sandbox %d: its process ended: %v", o.Number, err)
	}
	return h
}

func (h *helper) end() {
	h.stdin.Close()
	_ = h.cmd.Wait()
}

// asked is the sandbox with what go-landlock adds by itself.
func (h *helper) asked(abi int) sandbox.Sandbox {
	const readDir, tsync = 1 << 3, 8
	if !addsRule || abi >= tsync {
		return h.Sandbox
	}
	var all sandbox.Sandbox
	for _, l := range h.Sandbox {
		if l.Handled[access.FS]&readDir != 0 {
			l.Files = maps.Clone(l.Files)
			l.Files[fmt.Sprintf("/proc/%d/task", h.cmd.Process.Pid)] |= readDir
		}
		all = append(all, l)
	}
	return all
}

// TestGoLandlock: of 200 processes that sandbox themselves with random rulesets
// through go-landlock, what a scan says of every thread is what was asked for, and
// what a sample of them may do is what the rules say.
func TestGoLandlock(t *testing.T) {
	testenv.NeedRoot(t)
	source, err := taskiter.Open(taskiter.Options{RuleTime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if source.Info().Rules != "read" {
		t.Fatalf("rules are %s: %s", source.Info().Rules, source.NoRules())
	}
	abi, err := landlock.ABI()
	if err != nil {
		t.Fatal(err)
	}
	rights := landlock.Rights().Sure
	site, err := rulesets.NewSite(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer site.Close()
	seed := cmp.Or(*rulesSeed, rand.Uint64())
	t.Logf("seed %d, ABI %d", seed, abi)
	m := rulesets.Maker{
		Random: rand.New(rand.NewPCG(seed, 0)), Supported: rights,
		Dirs: append(site.Dirs(), "/proc", "/dev", "/"), Plain: site.Plain(), PortChoices: ports,
	}
	threads := 0
	for first := 0; first < sandboxes; first += batch {
		var helpers []*helper
		for n := first; n < first+batch; n++ {
			if err := site.Spare(n); err != nil {
				t.Fatal(err)
			}
			o := order{Sandbox: m.Make(1 + n%16), Try: n%sample == 0, Site: *site, Number: n, Ports: ports}
			h := start(t, o)
			defer h.end()
			if h.says.Error != "" {
				t.Fatalf("sandbox %d: %s", n, h.says.Error)
			}
			for _, wrong := range h.says.Wrong {
				t.Errorf("sandbox %d: %s", n, wrong)
			}
			helpers = append(helpers, h)
		}
		snap := settled(t, source, helpers)
		for _, h := range helpers {
			threads += h.compare(t, snap, abi)
			h.end()
		}
	}
	t.Logf("%d threads compared", threads)
	if threads < sandboxes {
		t.Errorf("only %d threads of %d processes", threads, sandboxes)
	}
}

// settled scans until no helper's runtime makes or ends threads at that time.
func settled(t *testing.T, source scan.Source, helpers []*helper) *scan.Snapshot {
	t.Helper()
	const scans = 10
	for n := 1; ; n++ {
		snap, err := source.Scan(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		changing := func(h *helper) bool {
			p := snap.Find(int32(h.cmd.Process.Pid))
			if p == nil || p.State == scan.Unknown {
				return p != nil
			}
			meaning, _ := snap.SandboxOf(p)
			return meaning.Doubt != 0
		}
		if n == scans || !slices.ContainsFunc(helpers, changing) {
			return snap
		}
	}
}

// compare compares a process and each of its threads, and returns their number.
func (h *helper) compare(t *testing.T, snap *scan.Snapshot, abi int) int {
	t.Helper()
	pid := int32(h.cmd.Process.Pid)
	p := snap.Find(pid)
	if p == nil || p.State != scan.Sandboxed {
		t.Errorf("sandbox %d: %+v", h.Number, p)
		return 0
	}
	asked := h.asked(abi)
	meaning, _ := snap.SandboxOf(p)
	if want := access.Exactly(rulesets.Restricted(asked, abi)); meaning.Restricts != want || meaning.Doubt != 0 {
		t.Errorf("sandbox %d restricts %+v (in doubt: %v), want %+v",
			h.Number, meaning.Restricts, meaning.Doubt.Words(), want)
	}
	for _, task := range snap.TasksOf(p) {
		for _, err := range rulesets.Compare(asked, snap, pid, task.TID, abi) {
			t.Errorf("sandbox %d: %v", h.Number, err)
		}
	}
	return int(p.NumTasks)
}
