// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what JSON writes. A change that could break a reader
// gets a new name; further members of objects do not.
const Schema = "landlockd/snapshot/v1"

// JSONOptions set what JSON writes.
type JSONOptions struct {
	// Summary leaves out processes, domains, views, rulesets and workloads: counts without names.
	Summary bool
	// Rules is what rules find in the snapshot, if it is not nil.
	Rules any
}

// JSON writes a snapshot as one JSON object and a newline, in the schema that
// docs/json.md explains and docs/schema/snapshot-v1.json defines. Each process,
// domain, view, ruleset and workload is on a line of its own. They are encoded one at a time.
func JSON(w io.Writer, s *scan.Snapshot, o JSONOptions) error {
	e := newEncoder(w)
	e.member("{", "schema", Schema)
	e.member(",", "summary", o.Summary)
	e.member(",", "host", newHostJSON(s))
	e.member(",", "source", s.Source)
	e.member(",", "scan", newScanJSON(s))
	e.member(",", "counts", newCountsJSON(Count(s)))
	if o.Rules != nil {
		e.member(",", "rules", o.Rules)
	}
	if !o.Summary {
		forest := Forest(s)
		rulesets, views := newRulesetIndex(s, forest), newViewIndex(s, forest)
		e.rulesets(rulesets)
		e.domains(s, forest, rulesets)
		e.views(s, views)
		e.workloads(s)
		e.processes(s, views)
	}
	e.text("}\n")
	return e.flush()
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
func (e *encoder) list(key string, elements func(yield func(any) bool)) {
	e.key(",", key)
	e.text("[")
	front := "\n"
	for v := range elements {
		e.text(front)
		e.value(v)
		if e.err != nil {
			return
		}
		front = ",\n"
	}
	e.text("]")
}

func (e *encoder) domains(s *scan.Snapshot, forest *domainid.Forest, rulesets *rulesetIndex) {
	e.list("domains", func(yield func(any) bool) {
		for d := range forest.WalkDomains() {
			if !yield(newDomainJSON(s, forest, rulesets, d)) {
				return
			}
		}
	})
}

func (e *encoder) processes(s *scan.Snapshot, views *viewIndex) {
	reader := newFactsReader(s)
	e.list("processes", func(yield func(any) bool) {
		for i := range s.Processes {
			if !yield(newProcessJSON(s, &s.Processes[i], reader.read(int32(i)), views)) {
				return
			}
		}
	})
}

func (e *encoder) flush() error {
	if e.err != nil {
		return e.err
	}
	return e.w.Flush()
}
