// SPDX-License-Identifier: Apache-2.0

package scan_test

import (
	"reflect"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// A snapshot that was made from another one shows the same, is like it and like no other, and
// what it shows is changed by nobody who first makes it his own.
func TestAgain(t *testing.T) {
	first, equal := benchHost(50), benchHost(50)
	if first.Identity().Is(first) {
		t.Error("like itself before it is concluded")
	}
	first.Conclude()
	equal.Conclude()
	again := first.Again()
	if id := first.Identity(); !id.Is(again) || !id.Is(first) || id.Is(equal) || (scan.Identity{}).Is(first) {
		t.Error("like others, or not like itself")
	}
	if !reflect.DeepEqual(again.Processes, first.Processes) || &again.Processes[0] != &first.Processes[0] {
		t.Error("not the same processes")
	}
	for _, own := range []func(*scan.Snapshot){(*scan.Snapshot).Own, (*scan.Snapshot).Conclude} {
		again = first.Again()
		own(again)
		if again.Processes[3].Workload++; first.Processes[3].Workload == again.Processes[3].Workload {
			t.Error("a published snapshot was changed")
		}
		if first.Identity().Is(again) {
			t.Error("like another one, though it was changed")
		}
	}
	if first.Own(); !equal.Identity().Is(equal) || &first.Processes[0] == &again.Processes[0] {
		t.Error("what nobody else has was copied")
	}
}

// Counts are those of who counts each time, and are made once for all that show the same.
func TestCountOnce(t *testing.T) {
	type key struct{}
	s := benchHost(100)
	n := 0
	count := func(s *scan.Snapshot) int { n++; return len(s.Processes) }
	for range 2 {
		if got := scan.CountOnce(s, key{}, count); got != 100 {
			t.Errorf("%d", got)
		}
	}
	if n != 2 {
		t.Errorf("counted %d times before the snapshot is concluded", n)
	}
	s.Conclude()
	for _, s := range []*scan.Snapshot{s, s.Again(), s.Again().Again()} {
		if got := scan.CountOnce(s, key{}, count); got != 100 || n != 3 {
			t.Errorf("%d, counted %d times", got, n-2)
		}
	}
	again := s.Again()
	again.Own()
	again.Processes[0].State = scan.Unknown
	again.Conclude()
	if got, was := again.Count().Processes, s.Count().Processes; got == was {
		t.Errorf("%v of what was changed", got)
	}
}
