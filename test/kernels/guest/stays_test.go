// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// host is a snapshot of process 7, whose tasks are in domains: number 12 is nested in number
// 1, 123 in 12, and 0 is none.
func host(abi int, tasks ...int) *scan.Snapshot {
	s := &scan.Snapshot{Kernel: scan.Kernel{ABI: abi}, Source: scan.SourceInfo{IDs: kernelIDs}}
	at := map[int]int32{0: domainid.Outermost}
	var domain func(n int) int32
	domain = func(n int) int32 {
		if i, ok := at[n]; ok {
			return i
		}
		parent := domain(n / 10)
		d := domainid.Domain{ID: domainid.ID(n), Parent: parent, Depth: 1}
		if parent != domainid.Outermost {
			d.Depth += s.Domains[parent].Depth
		}
		s.Domains = append(s.Domains, d)
		at[n] = int32(len(s.Domains) - 1)
		return at[n]
	}
	for i, n := range tasks {
		t := scan.Task{TID: int32(7 + i), Domain: domain(n), State: scan.Unsandboxed}
		if n != 0 {
			t.State, t.Depth, t.DepthExact = scan.Sandboxed, s.Domains[t.Domain].Depth, true
		}
		s.Tasks = append(s.Tasks, t)
	}
	s.Processes = []scan.Process{{PID: 7, Start: 1, State: scan.Sandboxed, NumTasks: int32(len(tasks))}}
	return s
}

func TestStays(t *testing.T) {
	const before, since = abiTSync - 1, abiTSync
	for name, c := range map[string]struct {
		abi               int
		scans             [][]int
		wrong, overridden int
	}{
		"nothing happens":             {before, [][]int{{1, 0}, {1, 0}}, 0, 0},
		"deeper":                      {before, [][]int{{0}, {1}, {12}, {123}}, 0, 0},
		"left":                        {before, [][]int{{1}, {0}}, 2, 0},
		"one task left":               {before, [][]int{{1, 0}, {0, 0}}, 1, 0},
		"less deep":                   {before, [][]int{{12}, {1}}, 2, 0},
		"another domain":              {before, [][]int{{1}, {2}}, 2, 0},
		"of another thread, before":   {before, [][]int{{1, 2}, {2, 2}}, 1, 0},
		"of another thread":           {since, [][]int{{1, 2}, {2, 2}}, 0, 1},
		"nested in that of a thread":  {since, [][]int{{123, 2}, {23, 23}}, 0, 1},
		"of nobody":                   {since, [][]int{{1, 2}, {3, 2}}, 1, 0},
		"all left what all were in":   {since, [][]int{{12, 13}, {2, 2}}, 4, 0},
		"all stay in what all are in": {since, [][]int{{12, 13}, {13, 13}}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStays()
			for _, tasks := range c.scans {
				s.look(host(c.abi, tasks...))
			}
			if len(s.wrong) != c.wrong || s.overridden != c.overridden {
				t.Errorf("%d overridden, wrong: %q; want %d and %d", s.overridden, s.wrong, c.overridden, c.wrong)
			}
		})
	}
}
