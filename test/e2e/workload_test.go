// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// cgroupTree is a slice of this test's own in the hierarchy that names workloads.
type cgroupTree struct {
	t    *testing.T
	root string
}

func newCgroupTree(t *testing.T) cgroupTree {
	t.Helper()
	testenv.NeedRoot(t)
	const mounted = "/sys/fs/cgroup"
	root := ""
	var fs unix.Statfs_t
	for _, dir := range []string{mounted, mounted + "/systemd", mounted + "/unified"} {
		if unix.Statfs(dir, &fs) == nil && (fs.Type == unix.CGROUP2_SUPER_MAGIC || fs.Type == unix.CGROUP_SUPER_MAGIC) {
			root = dir
			break
		}
	}
	if root == "" {
		t.Fatal("no cgroup hierarchy that systemd uses is mounted at " + mounted)
	}
	tree := cgroupTree{t, filepath.Join(root, fmt.Sprintf("lltest%d.slice", os.Getpid()))}
	t.Cleanup(func() { tree.remove(tree.root) })
	return tree
}

// procs makes a cgroup and returns its list of processes.
func (c cgroupTree) procs(path string) string {
	c.t.Helper()
	dir := filepath.Join(c.root, path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	return filepath.Join(dir, "cgroup.procs")
}

// put makes a cgroup and moves a process to it.
func (c cgroupTree) put(path string, p *process) {
	c.t.Helper()
	if err := os.WriteFile(c.procs(path), []byte(strconv.Itoa(p.cmd.Process.Pid)), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// inside makes a cgroup and returns a command line, for root, that begins in it.
func (c cgroupTree) inside(path string, args ...string) []string {
	c.t.Helper()
	return append([]string{"sh", "-c", `echo $$ >"$1" && shift && exec "$@"`, "sh", c.procs(path)}, args...)
}

func (c cgroupTree) remove(dir string) {
	below, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	for _, d := range below {
		if d.IsDir() {
			c.remove(filepath.Join(dir, d.Name()))
		}
	}
	eventually(c.t, dir+" is empty", func() bool {
		err := unix.Rmdir(dir)
		return err == nil || errors.Is(err, unix.ENOENT)
	})
}

func (m metrics) workload(name, state string) float64 {
	v, ok := m[fmt.Sprintf("landlock_workload_processes{state=%q,workload=%q}", state, name)]
	if !ok {
		return -1
	}
	return v
}

// The serving stage names workloads, confined as it is: those that were there when
// it started and those that came later.
func TestWorkloads(t *testing.T) {
	tree := newCgroupTree(t)
	container := strings.Repeat("0123456789abcdef", 4)
	plain := func() *process { return stay(t, false, "sh", "-c", "read x") }
	inside := stay(t, false, sandboxed(1, "sh", "-c", "read x")...)
	first, second := plain(), plain()
	tree.put("lltest@1.service", first)
	tree.put("lltest@2.service", inside)
	tree.put("user@7.service/app.slice/lltest.service", second)
	eventually(t, "the process is sandboxed", func() bool {
		p := takeSnapshot(t).find(inside.cmd.Process.Pid)
		return p != nil && p.State == "sandboxed"
	})

	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--confine=require"}})
	m := d.scrape(t)
	for _, c := range []struct {
		workload, state string
		want            float64
	}{
		{"lltest@.service", "sandboxed", 1},
		{"lltest@.service", "unsandboxed", 1},
		{"user@/lltest.service", "unsandboxed", 1},
		{"user@/lltest.service", "partial", -1},
	} {
		if got := m.workload(c.workload, c.state); got != c.want {
			t.Errorf("%s %s: %v, want %v", c.workload, c.state, got, c.want)
		}
	}
	tree.put("docker-"+container+".scope/sub", plain())
	tree.put("late.service", first)
	// Between two looks for new cgroups there is a pause, of fifty times what one takes.
	eventually(t, "new cgroups are found", func() bool {
		m = d.scrape(t)
		return m.workload("container:sh", "unsandboxed") == 1 || m.workload("container:dash", "unsandboxed") == 1
	})
	if m.workload("late.service", "unsandboxed") != 1 || m.workload("lltest@.service", "unsandboxed") != 0 {
		t.Errorf("a process moved, but not its workload: %v", m.facts())
	}
	for name := range m {
		if strings.Contains(name, container[:12]) {
			t.Errorf("ID of a container in a label: %s", name)
		}
	}
	total := 0.0
	for _, state := range []string{"sandboxed", "partial", "unsandboxed", "unknown"} {
		total += m[fmt.Sprintf("landlock_workloads{state=%q}", state)]
	}
	if total < 4 {
		t.Errorf("%v workloads", total)
	}
}

func TestWorkloadFlags(t *testing.T) {
	tree := newCgroupTree(t)
	tree.put("lltest@1.service", stay(t, false, "sh", "-c", "read x"))
	once := func(args ...string) metrics {
		p := run(t, append([]string{"once"}, args...)...)
		if code := p.wait(t); code != 0 {
			t.Fatalf("exit code %d: %s", code, &p.stderr)
		}
		return parseMetrics(t, p.stdout.String())
	}
	m := once("--workload.include=lltest@.*")
	if m.workload("lltest@.service", "unsandboxed") != 1 || m.workload("other", "unsandboxed") < 1 || m["landlockd_workloads_folded"] < 1 {
		t.Errorf("--workload.include: %v", m)
	}
	if m = once("--workload.exclude=lltest.*"); m.workload("lltest@.service", "unsandboxed") != -1 || m["landlockd_workloads_folded"] != 1 {
		t.Errorf("--workload.exclude: %v", m)
	}
	if m = once("--workload.limit=0"); m.workload("lltest@.service", "unsandboxed") != -1 || m.workload("other", "unsandboxed") < 2 {
		t.Errorf("--workload.limit=0: %v", m)
	}
	if m = once("--no-workload.fold"); m.workload("lltest@1.service", "unsandboxed") != 1 {
		t.Errorf("--no-workload.fold: %v", m)
	}
	m = once("--no-collector.workloads")
	m.has(t, `landlock_workloads{state="sandboxed"}`, m[`landlock_workloads{state="sandboxed"}`])
	for name := range m {
		if strings.Contains(name, "workload=") {
			t.Errorf("--no-collector.workloads: %s", name)
		}
	}
}

func TestWorkloadsInJSON(t *testing.T) {
	tree := newCgroupTree(t)
	p := stay(t, false, "sh", "-c", "read x")
	tree.put("lltest@1.service/sub", p)
	out := run(t, "once", "--format=json")
	if code := out.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, &out.stderr)
	}
	var s struct {
		Workloads []struct {
			Name      string
			FullName  string `json:"full_name"`
			Unit      *string
			Cgroup    *string
			Delegated bool
		}
		Processes []struct {
			PID           int
			Workload      string
			WorkloadIndex int `json:"workload_index"`
		}
	}
	if err := json.Unmarshal([]byte(out.stdout.String()), &s); err != nil {
		t.Fatal(err)
	}
	for _, process := range s.Processes {
		if process.PID != p.cmd.Process.Pid {
			continue
		}
		w := s.Workloads[process.WorkloadIndex]
		if process.Workload != "lltest@.service" || w.Name != process.Workload || w.FullName != "lltest@1.service" || w.Unit == nil || *w.Unit != w.FullName || !w.Delegated ||
			w.Cgroup == nil || *w.Cgroup != "/"+filepath.Base(tree.root)+"/lltest@1.service/sub" {
			t.Errorf("%+v, %+v", process, w)
		}
		return
	}
	t.Errorf("process %d is missing", p.cmd.Process.Pid)
}
