// SPDX-License-Identifier: Apache-2.0

package inforce

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/cmdline"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

const (
	oneRule  = "rules: [{name: one, match: {unit: [a.service]}}]\n"
	twoRules = "rules: [{name: one, match: {unit: [a.service]}}, {name: two, match: {unit: [b.service]}, min_processes: 1}]\n"
	badRules = "rules: [{name: one, match: {unit: [a.service]}}, {name: two, mach: {}}]\n"
	ofCmd    = "rules: [{name: cmd, match: {cmdline: [\"*\"]}}]\n"
)

// file is a configuration that a test changes.
type file struct {
	t    *testing.T
	path string
	log  bytes.Buffer
}

func newFile(t *testing.T, text string) *file {
	f := &file{t: t, path: filepath.Join(t.TempDir(), "landlockd.yml")}
	f.write(text)
	return f
}

func (f *file) write(text string) {
	f.t.Helper()
	// In one step: a reload must not see half of it.
	if err := errors.Join(os.WriteFile(f.path+".new", []byte(text), 0o600), os.Rename(f.path+".new", f.path)); err != nil {
		f.t.Error(err)
	}
}

func (f *file) options() Options {
	return Options{
		Load:   func() (*policy.Config, error) { return policy.Load(f.path) },
		Logger: slog.New(slog.NewTextHandler(&f.log, nil)),
	}
}

func (f *file) open() *Set {
	f.t.Helper()
	s, err := New(f.options())
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// host is a snapshot with one process of a.service.
func host(pid int32, state scan.State) *scan.Snapshot {
	p := scan.Process{PID: pid, State: state, NumTasks: 1, MountNSOwner: 0xEFFFFFFD}
	if state == scan.Sandboxed {
		p.Depth, p.MaxDepth = 1, 1
	}
	return &scan.Snapshot{
		Uptime:    3600e9,
		Kernel:    scan.Kernel{Landlock: scan.Enabled, ABI: 6},
		Processes: []scan.Process{p},
		Tasks:     []scan.Task{{TID: pid, Domain: -1, State: state}},
		Workloads: []scan.Workload{{Name: "a.service", FullName: "a.service", Kind: scan.Unit, Cgroup: "/system.slice/a.service", Unit: "a.service", Slice: "system.slice"}},
	}
}

func names(r *policy.Evaluation) string {
	var all []string
	for _, rule := range r.Rules {
		name := rule.Rule.Name
		if rule.Violated {
			name += "!"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestEvaluateOnceForEachSnapshot(t *testing.T) {
	s := newFile(t, oneRule).open()
	a, b := host(1, scan.Sandboxed), host(2, scan.Unsandboxed)
	first := s.Evaluate(a)
	if s.Evaluate(a) != first {
		t.Error("the same snapshot was judged twice")
	}
	if got := names(first); got != "one" {
		t.Errorf("%q", got)
	}
	second := s.Evaluate(b)
	if second == first || names(second) != "one!" {
		t.Errorf("another snapshot: %q", names(second))
	}
	if st := s.State(); st.Loaded != 1 || st.Applied != 1 {
		t.Errorf("%+v", st)
	}
}

func TestReload(t *testing.T) {
	f := newFile(t, oneRule)
	s := f.open()
	snap := host(1, scan.Unsandboxed)
	before := s.State()
	if before.Loaded != 1 || !before.Reloaded || before.Since.IsZero() || before.Hash == 0 {
		t.Fatalf("%+v", before)
	}
	s.Evaluate(snap)
	f.write(twoRules)
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	after := s.State()
	if after.Loaded != 2 || after.Applied != 0 || after.Hash == before.Hash || !after.Since.After(before.Since) {
		t.Errorf("%+v after %+v", after, before)
	}
	// The same snapshot is judged by the rules that are in force now.
	if got := names(s.Evaluate(snap)); got != "one! two!" {
		t.Errorf("%q", got)
	}
	s.changes.log.writing.Wait()
	if !strings.Contains(f.log.String(), "Configuration loaded") {
		t.Errorf("log: %s", &f.log)
	}
}

// TestReloadKeepsSince: since when a rule finds too few is no matter of when it was loaded.
func TestReloadKeepsSince(t *testing.T) {
	f := newFile(t, twoRules)
	s := f.open()
	reload := func(text string) {
		f.write(text)
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	at := func(later time.Duration) (since []uint64) {
		snap := host(1, scan.Sandboxed)
		snap.Uptime += later
		for _, r := range s.Evaluate(snap).Rules {
			since = append(since, r.Since)
		}
		return since
	}
	before := at(0)
	reload("rules: [{name: new, match: {unit: [c.service]}, min_processes: 1}, " + twoRules[len("rules: ["):])
	if got := at(time.Minute); len(before) != 2 || len(got) != 3 || got[2] != before[1] || got[0] <= before[1] {
		t.Errorf("since %d, and after a reload with one more, first, since %d", before, got)
	}
	reload(oneRule)
	at(2 * time.Minute)
	reload(twoRules)
	if got := at(3 * time.Minute); got[1] != uint64(time.Hour+3*time.Minute) {
		t.Errorf("since %d, of a rule that was not there", got[1])
	}
}

func TestBadFileKeepsTheRules(t *testing.T) {
	f := newFile(t, twoRules)
	s := f.open()
	snap := host(1, scan.Unsandboxed)
	result, before := s.Evaluate(snap), s.State()
	s.changes.log.writing.Wait()
	for _, text := range []string{badRules, "rules: [", "\x00", "rules:\n" + strings.Repeat("  - {nam: x}\n", 100), ofCmd} {
		f.write(text)
		f.log.Reset()
		if s.Reload() == nil {
			t.Errorf("%.40q is loaded", text)
		}
		want := before
		want.Reloaded = false
		if got := s.State(); got != want {
			t.Errorf("%.40q: %+v, want %+v", text, got, want)
		}
		if s.Evaluate(snap) != result {
			t.Errorf("%.40q changed the rules", text)
		}
		if n := strings.Count(f.log.String(), "level=ERROR"); n == 0 || n > maxLogged+1 {
			t.Errorf("%.40q: %d lines of log", text, n)
		}
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if s.Reload() == nil || s.Evaluate(snap) != result {
		t.Error("without a file there are other rules")
	}
	f.write(oneRule)
	if err := s.Reload(); err != nil || !s.State().Reloaded || s.State().Loaded != 1 {
		t.Errorf("mended: %v, %+v", err, s.State())
	}
}

func TestBadFileIsNotOpened(t *testing.T) {
	if _, err := New(newFile(t, badRules).options()); err == nil {
		t.Error("opened")
	}
	if _, err := New(newFile(t, ofCmd).options()); !errors.Is(err, ErrRestart) {
		t.Errorf("cmdline that cannot be read: %v", err)
	}
}

// Rules see the command line of the process that the snapshot has.
func TestCmdline(t *testing.T) {
	f := newFile(t, "rules: [{name: cmd, match: {cmdline: [\"re:.*-test.*\"]}, expect: {state: [sandboxed]}}]\n")
	o := f.options()
	o.Cmdline = cmdline.New("/proc")
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.log.String(), "chooses its own cmdline") {
		t.Errorf("no warning: %s", &f.log)
	}
	snap := host(int32(os.Getpid()), scan.Unsandboxed)
	// Its start time is not this process's: nothing is known of its command line.
	if r := s.Evaluate(snap); r.Violated() {
		t.Error("judged by a command line that may be another process's")
	}
}

func TestConcurrentUse(t *testing.T) {
	f := newFile(t, oneRule)
	o := f.options()
	o.Logger = nil
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 50 {
				switch {
				case i == 0:
					f.write([]string{oneRule, twoRules, badRules}[n%3])
				case i == 1:
					_ = s.Reload()
				default:
					r := s.Evaluate(host(int32(n+1), scan.Unsandboxed))
					if got := names(r); got != "one!" && got != "one! two!" {
						t.Errorf("%q", got)
					}
					s.State()
				}
			}
		})
	}
	wg.Wait()
}
