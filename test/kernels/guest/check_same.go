// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/truth"
)

// checkSame compares the attribute of our patches with the task iterator, task
// by task, over a forest: they must agree on who is in a domain, and on IDs
// where the kernel has them.
func checkSame(t *T) {
	source := openIterator(t)
	f, err := truth.Start(context.Background(), actor, truth.Options{Seed: 1})
	t.Must(err)
	defer func() {
		if err := f.Close(); err != nil {
			t.Errorf("%v", err)
		}
	}()
	snap := scanOnce(t, source)
	compared, bad := 0, 0
	domains := make(map[string]domainid.ID)
	for _, p := range f.Truth.Processes {
		found := snap.Find(p.PID)
		if found == nil {
			t.Errorf("process %d is not in the snapshot", p.PID)
			continue
		}
		for _, task := range snap.TasksOf(found) {
			a := domainOfTask(int(p.PID), int(task.TID))
			compared++
			if task.State == scan.Unsandboxed {
				if !a.isNone() {
					bad++
					t.Errorf("task %d: unsandboxed, but %v", task.TID, a)
				}
				continue
			}
			if !a.isID() || task.Domain == domainid.Outermost {
				bad++
				t.Errorf("task %d: %v, but %v", task.TID, task.State, a)
				continue
			}
			id := snap.Domains[task.Domain].ID
			if other, ok := domains[a.text]; ok && other != id {
				bad++
				t.Errorf("task %d: %v stands for two IDs of the iterator", task.TID, a)
			}
			domains[a.text] = id
			if source.Info().IDs == "kernel" && !sameHex(id, a.text) {
				bad++
				t.Errorf("task %d: the iterator says %v, the attribute %v", task.TID, id, a)
			}
		}
	}
	t.Fact("same", fmt.Sprintf("%d tasks, %d domains, %d disagreements", compared, len(domains), bad))
}

// sameHex compares an ID with a line of hex.
func sameHex(id domainid.ID, line string) bool {
	n, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	return err == nil && fmt.Sprintf("%x", n) == fmt.Sprint(id)
}
