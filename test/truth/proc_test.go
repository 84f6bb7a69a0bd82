// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// TestTruthAgreesWithProc checks the truth itself, as far as /proc has it: a
// generator that believes something false of its processes would be no judge.
func TestTruthAgreesWithProc(t *testing.T) {
	for seed := uint64(1000); seed < 1005; seed++ {
		f, err := Start(t.Context(), actor(t), Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.Truth.Processes {
			checkProc(t, &f.Truth.Processes[i])
		}
		for _, pid := range f.Truth.Gone {
			if got := status(t, pid, pid)["State"]; !strings.HasPrefix(got, "Z") {
				t.Errorf("seed %d: process %d has ended, but its state is %q", seed, pid, got)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSameSeedSamePlan starts one seed twice: only numbers may differ that the
// kernel or a race chose.
func TestSameSeedSamePlan(t *testing.T) {
	var plans [2][]string
	for i := range plans {
		f, err := Start(t.Context(), actor(t), Options{Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		plans[i] = []string{fmt.Sprint(len(f.Truth.Processes), len(f.Truth.Gone), len(f.Truth.Layers), f.Truth.Tasks())}
		for kind, n := range f.Truth.Ops {
			// Who is adopted by whom is a race between ends and clones.
			if !strings.HasPrefix(kind, "adopted") {
				plans[i] = append(plans[i], fmt.Sprint(kind, n))
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	count := func(lines []string) map[string]int {
		m := map[string]int{}
		for _, l := range lines {
			m[l]++
		}
		return m
	}
	if a, b := count(plans[0]), count(plans[1]); !reflect.DeepEqual(a, b) {
		t.Errorf("two forests of one seed: %v and %v", a, b)
	}
}

func checkProc(t *testing.T, p *Process) {
	t.Helper()
	live := 0
	for _, task := range p.Tasks {
		live++
		s := status(t, p.PID, task.TID)
		for key, want := range map[string]string{
			"Tgid": fmt.Sprint(p.PID), "PPid": fmt.Sprint(p.PPID),
			"Seccomp": fmt.Sprint(task.Seccomp), "NoNewPrivs": map[bool]string{true: "1", false: "0"}[task.NoNewPrivs],
		} {
			if s[key] != want {
				t.Errorf("task %d of %d: %s is %q, want %q", task.TID, p.PID, key, s[key], want)
			}
		}
		if uid := strings.Fields(s["Uid"]); len(uid) < 2 || uid[1] != fmt.Sprint(task.UID) {
			t.Errorf("task %d of %d: Uid is %q, want %d", task.TID, p.PID, uid, task.UID)
		}
		if len(task.Layers) == 0 && task.Denied != 0 {
			t.Errorf("task %d of %d is in no domain and was denied %#x of %#x", task.TID, p.PID, task.Denied, task.Tried)
		}
	}
	for _, w := range p.Workers {
		live++
		if name := status(t, p.PID, w.TID)["Name"]; !strings.HasPrefix(name, "iou-sqp-") {
			t.Errorf("worker %d of %d is called %q", w.TID, p.PID, name)
		}
	}
	if p.ZombieLeader {
		live++
	}
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.PID))
	if err != nil || len(entries) != live {
		t.Errorf("process %d has %d tasks (%v), want %d", p.PID, len(entries), err, live)
	}
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.PID))
	if got := strings.TrimSuffix(string(comm), "\n"); err != nil || got != p.Comm {
		t.Errorf("process %d: comm %q (%v), want %q", p.PID, got, err, p.Comm)
	}
	task := fmt.Sprintf("/proc/%d/task/%d/", p.PID, p.Tasks[0].TID)
	if exe, err := os.Readlink(task + "exe"); err != nil || exe != p.Exe {
		t.Errorf("process %d: exe %q (%v), want %q", p.PID, exe, err, p.Exe)
	}
	if ns, err := os.Readlink(task + "ns/user"); err != nil || ns != "user:["+strconv.Itoa(int(p.UserNS))+"]" {
		t.Errorf("process %d: user namespace %q (%v), want %d", p.PID, ns, err, p.UserNS)
	}
}

// status reads the fields of /proc/[pid]/task/[tid]/status.
func status(t *testing.T, pid, tid int32) map[string]string {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/status", pid, tid))
	if err != nil {
		t.Error(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			fields[key] = strings.TrimSpace(value)
		}
	}
	return fields
}
