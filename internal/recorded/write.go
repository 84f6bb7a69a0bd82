// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"slices"

	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what Write writes. A change that could break a reader
// gets a new name; further members of objects do not.
const Schema = "landlockd/snapshot/v1"

// Options set what Write writes.
type Options struct {
	// Summary leaves out processes, domains, views, rulesets and workloads: counts without names.
	Summary bool
	// Rules is what rules find in the snapshot, if it is not nil.
	Rules any
}

// Write writes a snapshot as one JSON object and a newline. Each process, domain, view,
// ruleset and workload is on a line of its own. They are encoded one at a time.
func Write(w io.Writer, s *scan.Snapshot, o Options) error {
	e := newEncoder(w)
	e.member("{", "schema", Schema)
	e.member(",", "summary", o.Summary)
	e.member(",", "host", newHostJSON(&s.Kernel))
	e.member(",", "source", s.Source)
	e.member(",", "scan", newScanJSON(s))
	e.member(",", "counts", newCountsJSON(s))
	if o.Rules != nil {
		e.member(",", "rules", o.Rules)
	}
	if !o.Summary {
		e.elements(s)
	}
	e.text("}\n")
	return e.flush()
}

func (e *encoder) elements(s *scan.Snapshot) {
	forest := s.Forest()
	rulesets, views := newRulesetIndex(s, forest), newViewIndex(s, forest)
	processes := facts.NewReader(s)
	list(e, "rulesets", slices.Values(rulesets.all), newRulesetJSON)
	list(e, "domains", keys(forest.WalkDomains()), func(d int32) *domainJSON {
		return newDomainJSON(s, forest, rulesets, d)
	})
	list(e, "views", slices.Values(views.order), func(v int32) *viewJSON {
		return newViewJSON(s, &s.Views[v])
	})
	list(e, "workloads", keys(slices.All(s.Workloads)), func(i int) *workloadJSON {
		return newWorkloadJSON(&s.Workloads[i])
	})
	list(e, "processes", keys(slices.All(s.Processes)), func(i int) *processJSON {
		return newProcessJSON(s, &s.Processes[i], processes.Read(int32(i)), views)
	})
}

// keys returns the first of each pair.
func keys[K, V any](pairs iter.Seq2[K, V]) iter.Seq[K] {
	return func(yield func(K) bool) {
		for k := range pairs {
			if !yield(k) {
				return
			}
		}
	}
}

// encoder writes JSON piece by piece. It keeps the first error.
type encoder struct {
	w     *bufio.Writer
	piece bytes.Buffer
	enc   *json.Encoder
	err   error
}

func newEncoder(w io.Writer) *encoder {
	e := &encoder{w: bufio.NewWriter(w)}
	e.enc = json.NewEncoder(&e.piece)
	// What is escaped is decided by untrusted.Text.
	e.enc.SetEscapeHTML(false)
	return e
}

func (e *encoder) text(s string) {
	if e.err == nil {
		_, e.err = e.w.WriteString(s)
	}
}

func (e *encoder) value(v any) {
	if e.err != nil {
		return
	}
	e.piece.Reset()
	if e.err = e.enc.Encode(v); e.err == nil {
		_, e.err = e.w.Write(bytes.TrimSuffix(e.piece.Bytes(), []byte("\n")))
	}
}

// member writes what stands in front, a line's end if that is a comma, the key and the value.
func (e *encoder) member(front, key string, v any) {
	e.key(front, key)
	e.value(v)
}

func (e *encoder) key(front, key string) {
	e.text(front)
	if front == "," {
		e.text("\n")
	}
	e.text(`"` + key + `":`)
}

// list writes a member that is an array, one element a line.
func list[E, J any](e *encoder, key string, elements iter.Seq[E], object func(E) J) {
	e.key(",", key)
	e.text("[")
	front := "\n"
	for element := range elements {
		e.text(front)
		e.value(object(element))
		if e.err != nil {
			return
		}
		front = ",\n"
	}
	e.text("]")
}

func (e *encoder) flush() error {
	if e.err != nil {
		return e.err
	}
	return e.w.Flush()
}
