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
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what Write writes. A change that could break a reader
// gets a new name; further members of objects do not.
const Schema = "landlockd/snapshot/v1"

// Options set what Write writes.
type Options struct {
	// Summary leaves out all lists, of processes and whatever they are about: counts without
	// names.
	Summary bool
	// Brief leaves out most of what follows of a process from the rest: Read has no use for it.
	Brief bool
	// Rules is what rules find in the snapshot, if it is not nil.
	Rules any
}

// Write writes a snapshot as one JSON object and a newline. Each process, domain, view,
// ruleset and workload is on a line of its own. They are encoded one at a time.
func Write(w io.Writer, s *scan.Snapshot, o Options) error {
	const buffer = 64 << 10 // few large writes are quicker for who reads a socket
	e := &encoder{w: bufio.NewWriterSize(w, buffer)}
	e.enc = untrusted.NewEncoder(&e.piece)
	e.member("{", "schema", Schema)
	e.member(",\n", "summary", o.Summary)
	if o.Brief {
		e.member(",\n", "brief", true)
	}
	e.member(",\n", "host", newHostJSON(&s.Kernel))
	e.member(",\n", "source", s.Source)
	e.member(",\n", "scan", newScanJSON(s))
	e.member(",\n", "counts", newCountsJSON(s))
	if o.Rules != nil {
		e.member(",\n", "rules", o.Rules)
	}
	if !o.Summary {
		e.elements(s, o.Brief)
	}
	e.text("}\n")
	if e.err == nil {
		e.err = e.w.Flush()
	}
	return e.err
}

func (e *encoder) elements(s *scan.Snapshot, brief bool) {
	forest := s.Forest()
	rulesets, views := newRulesetIndex(s, forest), newViewIndex(s, forest)
	processes, ofWorkloads := facts.NewReader(s), processesOf(s)
	list(e, "rulesets", slices.All(rulesets.all), func(i int) any {
		return newRulesetJSON(rulesets.all[i])
	})
	list(e, "domains", forest.WalkDomains(), func(d int32) any {
		return newDomainJSON(s, forest, rulesets, d)
	})
	list(e, "views", slices.All(views.order), func(i int) any {
		return newViewJSON(s, &s.Views[views.order[i]])
	})
	list(e, "assets", slices.All(s.Assets), func(i int) any { return newAssetJSON(&s.Assets[i]) })
	list(e, "objects", slices.All(s.Objects), func(i int) any { return newObjectJSON(&s.Objects[i]) })
	list(e, "scenes", slices.All(s.Scenes), func(i int) any { return newSceneJSON(s, &s.Scenes[i]) })
	list(e, "workloads", slices.All(s.Workloads), func(i int) any {
		return newWorkloadJSON(&s.Workloads[i], ofWorkloads[i])
	})
	list(e, "processes", slices.All(s.Processes), func(i int) any {
		return newProcessJSON(s, &s.Processes[i], processes.Read(int32(i)), views, brief)
	})
}

// encoder writes JSON piece by piece. It keeps the first error.
type encoder struct {
	w     *bufio.Writer
	piece bytes.Buffer
	enc   *json.Encoder
	err   error
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

// member writes what stands in front, the key and the value.
func (e *encoder) member(front, key string, v any) {
	e.text(front + `"` + key + `":`)
	e.value(v)
}

// list writes a member that is an array, one element a line: the object of each key.
func list[K, V any](e *encoder, key string, elements iter.Seq2[K, V], object func(K) any) {
	e.text(",\n\"" + key + `":[`)
	front := "\n"
	for k := range elements {
		e.text(front)
		e.value(object(k))
		if e.err != nil {
			return
		}
		front = ",\n"
	}
	e.text("]")
}
