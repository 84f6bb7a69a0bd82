// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// checkCaps opens the source as an unprivileged user: CAP_BPF and CAP_PERFMON
// are enough, and what is missing is named.
func checkCaps(t *T) {
	sandboxed := startSleepers(t, 3, 1)[0].pid
	free := startSleepers(t, 0, 1)[0].pid
	const bpf, perfmon = 1 << unix.CAP_BPF, 1 << unix.CAP_PERFMON
	seen := fmt.Sprintf("%d sandboxed 3\n%d unsandboxed 0\n", sandboxed, free)
	for _, c := range []struct {
		name         string
		capabilities uint64
		want         string
	}{
		{"CAP_BPF and CAP_PERFMON", bpf | perfmon, seen},
		{"nothing", 0, "no_capability CAP_BPF and CAP_PERFMON\n"},
		{"CAP_BPF", bpf, "no_capability CAP_PERFMON\n"},
		{"CAP_PERFMON", perfmon, "no_capability CAP_BPF\n"},
	} {
		cmd := asNobodyCommand(c.capabilities, "iterate", fmt.Sprint(sandboxed), fmt.Sprint(free))
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != c.want {
			t.Errorf("nobody with %s: %q (%v), want %q", c.name, out, err, c.want)
		}
	}
}

// iterate opens the source, and prints the state and depth of processes, or
// why it cannot.
func iterate(args []string) {
	s, err := taskiter.Open(taskiter.Options{RuleTime: time.Minute})
	var e *scan.Error
	if errors.As(err, &e) && e.Reason == taskiter.NoCapability {
		fmt.Println(e.Reason, strings.TrimPrefix(e.Missing, "missing "))
		return
	}
	exit("open", err)
	printStates(s, args)
}

func printStates(s *taskiter.Source, pids []string) {
	snap, err := s.Scan(context.Background())
	exit("scan", err)
	for _, pid := range pids {
		p := snap.Find(int32(atoi(pid)))
		if p == nil {
			p = &scan.Process{}
		}
		fmt.Println(pid, p.State, p.Depth)
	}
}
