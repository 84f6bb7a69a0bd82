// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// viewJSON is a domain as tasks with one root directory have it.
type viewJSON struct {
	Domain domainid.ID `json:"domain"`
	// Everywhere has a mask for each layer, the outermost first; nil if it is not known.
	Everywhere *[]mask  `json:"everywhere"`
	Doubt      []string `json:"doubt"`
}

func newViewJSON(s *scan.Snapshot, v *domainid.View) *viewJSON {
	j := &viewJSON{Domain: s.Domains[v.Domain].ID, Doubt: doubtWords(v.Doubt)}
	if v.Doubt == 0 {
		everywhere := make([]mask, len(v.Everywhere))
		for i, m := range v.Everywhere {
			everywhere[i] = mask(m)
		}
		j.Everywhere = &everywhere
	}
	return j
}

// doubtWords are those of a doubt, never nil.
func doubtWords(d domainid.Doubt) []string { return append([]string{}, d.Words()...) }

// parseDoubt is the inverse of doubtWords.
func parseDoubt(words []string) (all domainid.Doubt, err error) {
	for i, word := range words {
		doubt, known := domainid.ParseDoubt(word)
		if !known {
			return 0, within(fmt.Sprintf("doubt[%d]", i), fmt.Errorf("%.40q is no doubt", word))
		}
		all |= doubt
	}
	return all, nil
}

func (r *reader) view(j *viewJSON) error {
	var v domainid.View
	var err error
	if v.Doubt, err = parseDoubt(j.Doubt); err != nil {
		return err
	}
	if (j.Everywhere == nil) != (v.Doubt != 0) {
		return errors.New("what is granted everywhere is known and in doubt, or neither")
	}
	for _, m := range orZero(j.Everywhere) {
		v.Everywhere = append(v.Everywhere, uint32(m))
	}
	if len(r.snap.Views) == maxTasks {
		return errors.New("too many views")
	}
	r.snap.Views = append(r.snap.Views, v)
	r.viewed = append(r.viewed, j.Domain)
	return r.count(len(v.Everywhere))
}

// viewIndex numbers the views of a snapshot in the order of its domains.
type viewIndex struct {
	// order has the views in the order of their numbers, and number is its inverse.
	order, number []int32
}

func newViewIndex(s *scan.Snapshot, forest *domainid.Forest) *viewIndex {
	of := make([][]int32, len(s.Domains))
	for i := range s.Views {
		if d := s.Views[i].Domain; d >= 0 && int(d) < len(of) {
			of[d] = append(of[d], int32(i))
		}
	}
	x := &viewIndex{number: make([]int32, len(s.Views))}
	for d := range forest.WalkDomains() {
		for _, v := range of[d] {
			x.number[v] = int32(len(x.order))
			x.order = append(x.order, v)
		}
	}
	return x
}

// find returns the number of a view of a domain, or nil.
func (x *viewIndex) find(s *scan.Snapshot, view, domain int32) *int32 {
	if x == nil || domain < 0 || view < 0 || int(view) >= len(s.Views) ||
		s.Views[view].Domain != domain {
		return nil
	}
	return &x.number[view]
}
