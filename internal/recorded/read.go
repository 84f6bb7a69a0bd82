// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Limits of what is read.
const (
	// maxSize is the size of a file in bytes: some 400 000 processes.
	maxSize = 256 << 20
	// maxTasks is how many tasks a kernel can have (PID_MAX_LIMIT). Also, a
	// file of few bytes must not become a snapshot of many.
	maxTasks = 1 << 22
	// maxRules is the largest number of rules that a file may have in all.
	maxRules = 1 << 22
)

var (
	// ErrSchema is the error of a file that is no snapshot of a known form.
	ErrSchema = errors.New("not a snapshot that this landlockd knows (want schema " + Schema + ")")
	// ErrSummary is the error of a snapshot without processes.
	ErrSummary = errors.New("a summary: it has no processes (written with --summary)")
	errTooLong = fmt.Errorf("larger than %d MiB", maxSize>>20)
)

// Read reads one snapshot. An error says where in the file it stands, as a path
// of members, and quotes no more than a few bytes of it.
//
// A snapshot has only what the file holds: TID and start time of a task are 0 where
// they were left out because all tasks of its process were alike.
func Read(r io.Reader) (*scan.Snapshot, error) { return read(r, maxSize) }

func read(from io.Reader, limit int64) (*scan.Snapshot, error) {
	r := &reader{snap: &scan.Snapshot{}}
	// Other than io.LimitReader, it fails instead of pretending an end.
	err := r.read(http.MaxBytesReader(nil, io.NopCloser(from), limit))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		err = errTooLong
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("it ends too early: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the snapshot: %w", err)
	}
	return r.snap, nil
}

// reader fills a snapshot. JSON has no order of members, so what refers to
// domains is resolved at the end.
type reader struct {
	snap *scan.Snapshot
	// parents[i] is the domain that Domains[i] is nested in, domains[i] that of
	// Tasks[i], viewed[i] that of Views[i], staged[i] that of Scenes[i], and
	// places[i] those of Workers[i]: of its real credentials and of those that it acts with.
	parents, domains, viewed, staged []domainid.ID
	places                           [][2]domainid.ID
	// rulesetOf[i] is the place in rulesets of that of Domains[i], or nil.
	rulesets  []*domainid.Ruleset
	rulesetOf []*int32
	rules     int
}

// fileJSON is a whole snapshot; see [Write].
type fileJSON struct {
	Schema    string          `json:"schema"`
	Summary   bool            `json:"summary"`
	Host      hostJSON        `json:"host"`
	Source    scan.SourceInfo `json:"source"`
	Scan      scanJSON        `json:"scan"`
	Rulesets  elements        `json:"rulesets" read:"optional"`
	Domains   elements        `json:"domains" read:"optional"`
	Views     elements        `json:"views" read:"optional"`
	Assets    elements        `json:"assets" read:"optional"`
	Objects   elements        `json:"objects" read:"optional"`
	Scenes    elements        `json:"scenes" read:"optional"`
	Workloads elements        `json:"workloads" read:"optional"`
	Processes elements        `json:"processes" read:"optional"`
}

func (r *reader) read(from io.Reader) error {
	d := &decoder{jsontext.NewDecoder(from, jsontext.AllowDuplicateNames(true)),
		map[reflect.Type]*plan{}}
	j := fileJSON{
		Rulesets:  each(d, r.ruleset),
		Domains:   each(d, r.domain),
		Views:     each(d, r.view),
		Assets:    each(d, r.asset),
		Objects:   each(d, r.object),
		Scenes:    each(d, r.scene),
		Workloads: each(d, r.workload),
		Processes: each(d, r.process),
	}
	err := d.object(reflect.ValueOf(&j).Elem())
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) { // it has its place in it, with any names
		err = syntax.Err
	}
	switch {
	case j.Schema != "" && j.Schema != Schema:
		return fmt.Errorf("schema %.40q: %w", j.Schema, ErrSchema)
	case err != nil && j.Schema == "":
		return fmt.Errorf("%w: %w", ErrSchema, err)
	case err != nil:
		return err
	case j.Summary:
		return ErrSummary
	case !j.Domains.there || !j.Views.there || !j.Processes.there:
		return errors.New("domains, views or processes are missing")
	}
	switch _, err := d.ReadToken(); {
	case err == nil, errors.As(err, &syntax):
		return errors.New("something stands behind the snapshot")
	case !errors.Is(err, io.EOF):
		return err
	}
	if err = j.fill(r.snap); err == nil {
		err = r.resolve()
	}
	if err == nil {
		r.snap.Conclude()
	}
	return err
}

// fill takes what is said of the whole snapshot.
func (j *fileJSON) fill(s *scan.Snapshot) (err error) {
	if s.Kernel, err = j.Host.kernel(); err != nil {
		return within("host", err)
	}
	j.Source.Runs = cmp.Or(j.Source.Runs, scan.RunsNone)
	if err := checkSource(&j.Source); err != nil {
		return within("source", err)
	}
	s.Source = j.Source
	return j.Scan.fill(s)
}
