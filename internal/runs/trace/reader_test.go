// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/testenv"
)

// open returns a reader, whose state went through text as between two stages.
func open(t *testing.T) *Reader {
	t.Helper()
	return openAt(t, func(*taskiter.Layout) {})
}

// openAt is open where the kernel keeps domains in a way that is changed before.
func openAt(t *testing.T, change func(*taskiter.Layout)) *Reader {
	t.Helper()
	testenv.NeedRoot(t)
	src, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	layout := src.Layout()
	change(&layout)
	st, files, err := Open(btf.NewCache(), layout)
	if err != nil {
		var ve *ebpf.VerifierError
		if errors.As(err, &ve) {
			t.Fatalf("%+v", ve)
		}
		t.Fatal(err)
	}
	text, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	var again State
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(again, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for event, c := range r.control.Cost {
			t.Logf("program %d: %d calls, %d ns on average, %d ns at most", event, c.Calls,
				c.SumNs/max(1, c.Calls), c.MaxNs)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// drain adds to what was drained of cells with an executable.
func drain(t *testing.T, r *Reader, exe string, all map[string]uint64) {
	t.Helper()
	d, err := r.Drain()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Cells {
		if c.Exe == exe {
			all[fmt.Sprintf("%d %s %s %d", c.Kind, c.State, c.MinAge, c.UID)] += c.Count
			if c.Last.PID == 0 || c.Last.End <= c.Last.Start || c.ExeOrigin != scan.OfHost || c.Cgroup == "" {
				t.Errorf("%+v", c)
			}
		}
	}
}

// copyOf returns a copy of a program, of which this test alone makes runs.
func copyOf(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "a copy")
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestCounts: runs, launches and ages of one program, over several turns.
func TestCounts(t *testing.T) {
	r := open(t)
	sh := copyOf(t, "sh")
	if err := r.Ask([]time.Duration{300 * time.Millisecond, time.Hour}, false); err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	const many = 50
	for range many {
		if err := exec.Command(sh, "-c", "exec true").Run(); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command(sh, "-c", "exit 0").Run(); err != nil {
			t.Fatal(err)
		}
	}
	drain(t, r, sh, got)
	for range 2 {
		if err := exec.Command(sh, "-c", "(sleep 0.4); exit 0").Run(); err != nil {
			t.Fatal(err)
		}
		drain(t, r, sh, got)
		r.control.takeTurn()
		r.turned = time.Now().Add(-2 * rest)
	}
	for range 2 {
		drain(t, r, sh, got)
	}
	want := map[string]uint64{
		// A shell executes the last command of its child.
		fmt.Sprintf("%d unsandboxed 0s 0", runs.Launch): many + 2,
		fmt.Sprintf("%d unsandboxed 0s 0", runs.Run):    many,
		fmt.Sprintf("%d unsandboxed 300ms 0", runs.Run): 2,
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestCountsOfTurn: what ended between the last reading of a table and the turn is there as soon
// as what ended behind the turn.
func TestCountsOfTurn(t *testing.T) {
	r := open(t)
	program := copyOf(t, "true")
	got := map[string]uint64{}
	for i := range uint64(3) {
		if err := exec.Command(program).Run(); err != nil {
			t.Fatal(err)
		}
		r.control.takeTurn()
		for _, turned := range []time.Time{time.Now().Add(time.Hour), time.Now().Add(-2 * rest)} {
			r.turned = turned
			drain(t, r, program, got)
			if n := got[fmt.Sprintf("%d unsandboxed 0s 0", runs.Run)]; n != i+1 {
				t.Errorf("%d runs, want %d", n, i+1)
			}
		}
	}
}
