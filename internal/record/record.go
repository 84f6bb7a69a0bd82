// SPDX-License-Identifier: Apache-2.0

// Package record reads back what "landlockd once --format=json" wrote, so that a
// snapshot can be judged later and elsewhere.
//
// A file may have been made by anybody: its size is bounded, and whatever a
// reader of a [scan.Snapshot] relies on is checked. Members that this package
// does not know are passed over, because a later landlockd may have written them;
// words that it does not know are refused, because nothing sound can be concluded from
// what they stand for.
//
// A snapshot has only what the file holds: TID and start time of a task are 0 where
// they were left out because all tasks of its process were alike. Members that follow
// from others ("counts", "nesting_limit", "start", "restricted", a process's "domains",
// ...) are not read: what the snapshot means is concluded anew.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/view"
	"github.com/landlockd/landlockd/scan"
)

// Limits of what is read.
const (
	// MaxSize is the size of a file in bytes: some 400 000 processes.
	MaxSize = 256 << 20
	// maxTasks is how many tasks a kernel can have (PID_MAX_LIMIT). Also, a
	// file of few bytes must not become a snapshot of many.
	maxTasks = 1 << 22
)

var (
	// ErrSchema is the error of a file that is no snapshot of a known form.
	ErrSchema = errors.New("not a snapshot that this landlockd knows (want schema " + view.Schema + ")")
	// ErrSummary is the error of a snapshot without processes.
	ErrSummary = errors.New("a summary: it has no processes (written with --summary)")
	errTooLong = fmt.Errorf("larger than %d MiB", MaxSize>>20)
)

// Load reads one snapshot. An error says where in the file it stands, as a path
// of members, and quotes no more than a few bytes of it.
func Load(r io.Reader) (*scan.Snapshot, error) { return load(r, MaxSize) }

func load(r io.Reader, limit int64) (*scan.Snapshot, error) {
	l := &loader{snap: &scan.Snapshot{}}
	dec := json.NewDecoder(&bounded{r: r, left: limit})
	err := l.read(dec)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it ends too early: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the snapshot: %w", err)
	}
	return l.snap, nil
}

// bounded fails, other than io.LimitReader, instead of pretending an end.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// loader fills a snapshot. JSON has no order of members, so what refers to
// domains is resolved at the end.
type loader struct {
	snap *scan.Snapshot
	// parents[i] is the domain that Domains[i] is nested in, domains[i] that of
	// Tasks[i], viewed[i] that of Views[i], and places[i] those of Workers[i]: of its
	// real credentials and of those that it acts with.
	parents, domains, viewed []domainid.ID
	places                   [][2]domainid.ID
	// firstWorker is the first worker of the process that is being read.
	firstWorker int32
	// rulesetOf[i] is the ruleset of Domains[i], or noRuleset.
	rulesets  []*domainid.Ruleset
	rulesetOf []int32
	rules     int
}

const noRuleset int32 = -1

func (l *loader) read(dec *json.Decoder) error {
	var schema string
	var summary, rulesets, domains, views, workloads, processes bool
	err := stream(dec,
		required("schema", word(&schema)),
		required("summary", boolean(&summary)),
		required("host", l.host),
		required("source", l.source),
		required("scan", l.scan),
		array("rulesets", &rulesets, l.ruleset),
		array("domains", &domains, l.domain),
		array("views", &views, l.view),
		array("workloads", &workloads, l.workload),
		array("processes", &processes, l.process),
	)
	switch {
	case schema != "" && schema != view.Schema:
		return fmt.Errorf("schema %.40q: %w", schema, ErrSchema)
	case err != nil && schema == "":
		return fmt.Errorf("%w: %w", ErrSchema, err)
	case err != nil:
		return err
	case summary:
		return ErrSummary
	case !domains || !views || !processes:
		return errors.New("domains, views or processes are missing")
	}
	switch _, err := dec.Token(); {
	case errors.Is(err, errTooLong):
		return err
	case !errors.Is(err, io.EOF):
		return errors.New("something stands behind the snapshot")
	}
	if err := l.resolve(); err != nil {
		return err
	}
	l.snap.Conclude()
	return nil
}

func (l *loader) host(value string) error {
	k := &l.snap.Kernel
	var landlock string
	var unknown access.Rights
	err := object(value,
		required("kernel_release", text(&k.Release, maxName)),
		required("landlock", word(&landlock)),
		required("abi", integer(&k.ABI, 0, 1<<16)),
		required("rights", objectOf(rightsMembers(&k.Rights.Sure)...)),
		required("rights_unknown", objectOf(rightsMembers(&unknown)...)),
		required("errata", orNull(func(s string) error {
			k.ErrataKnown = true
			return mask(&k.Errata)(s)
		})),
		required("ways_past", ways(&k.Ways)),
		required("ways_past_unknown", ways(&k.WaysUnknown)),
	)
	if err != nil {
		return err
	}
	k.Rights.May = k.Rights.Sure.Union(unknown)
	if err := k.Landlock.UnmarshalText([]byte(landlock)); err != nil {
		return err
	}
	if (k.Landlock == scan.Enabled) != (k.ABI > 0) {
		return fmt.Errorf("it has Landlock %s, but of ABI %d", k.Landlock, k.ABI)
	}
	return nil
}

func (l *loader) source(value string) error {
	s := &l.snap.Source
	return object(value,
		required("source", oneOf(&s.Name, "taskiter", "procattr", "both")),
		required("ids", oneOf(&s.IDs, "kernel", "derived", "none")),
		required("lineage", oneOf(&s.Lineage, "known", "inferred", "none")),
		required("rules", oneOf(&s.Rules, "read", "unread", "none")),
		required("denials", oneOf(&s.Denials, "tracepoints", "audit", "counters", "none")),
		required("pidns", oneOf(&s.PIDNS, "init", "nested")),
	)
}

func (l *loader) scan(value string) error {
	s := l.snap
	var at string
	err := object(value,
		required("time", word(&at)),
		optional("uptime", seconds(&s.Uptime)),
		required("duration", seconds(&s.Duration)),
		required("tasks", integer(&s.TasksRead, 0, 1<<31-1)),
		required("passes", integer(&s.Passes, 0, 1<<31-1)),
		required("domains_unread", integer(&s.DomainsUnread, 0, 1<<31-1)),
	)
	if err != nil {
		return err
	}
	if s.Time, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return fmt.Errorf("time %.40q is none", at)
	}
	s.Time = s.Time.UTC()
	return nil
}
