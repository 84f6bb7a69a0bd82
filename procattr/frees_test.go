// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// twoThreads is a process of two threads, each of which gives its answers one after the
// other, and the last of them again and again.
type twoThreads struct{ answers [2][]domainid.ID }

func (v *twoThreads) stat(s *stat) outcome {
	*s = stat{State: 'S', Threads: 2, Start: 5}
	return found
}

func (v *twoThreads) list() ([]dirEntry, outcome) {
	return []dirEntry{{modelPID, 1}, {modelPID + 1, 2}}, found
}

func (v *twoThreads) attribute(tid int32) (answer, outcome) {
	all := &v.answers[max(tid, modelPID)-modelPID]
	id := (*all)[0]
	if len(*all) > 1 {
		*all = (*all)[1:]
	}
	if id == domainid.None {
		return answerOut, found
	}
	return answer{state: scan.Sandboxed, id: id}, found
}

func (v *twoThreads) thread(_ int32, s *stat) outcome { return v.stat(s) }

// Where a thread can take the others out of their domains, and then enter one itself, such as
// are in different ones are all sandboxed once each was read twice in the same.
func TestSettleApart(t *testing.T) {
	for name, c := range map[string]struct {
		frees bool
		a, b  []domainid.ID
		want  verdict
		tries int
	}{
		"one domain":                {true, []domainid.ID{7}, []domainid.ID{7}, sandboxed, 1},
		"two":                       {true, []domainid.ID{7}, []domainid.ID{8}, sandboxed, 2},
		"two, on other kernels":     {false, []domainid.ID{7}, []domainid.ID{8}, sandboxed, 1},
		"the first was taken out":   {true, []domainid.ID{7, domainid.None}, []domainid.ID{8}, partial, 2},
		"and entered another one":   {true, []domainid.ID{7, 9}, []domainid.ID{8}, sandboxed, 3},
		"one after the other, each": {true, []domainid.ID{1, 3, 5}, []domainid.ID{2, 4, 6}, unknown, maxTries},
	} {
		t.Run(name, func(t *testing.T) {
			s := settler{ids: true, frees: c.frees}
			var f facts
			r := s.settle(&twoThreads{[2][]domainid.ID{c.a, c.b}}, modelPID, &f)
			if r.verdict != c.want || r.tries != c.tries {
				t.Errorf("verdict %d after %d tries, want %d after %d", r.verdict, r.tries, c.want, c.tries)
			}
		})
	}
}
