// SPDX-License-Identifier: Apache-2.0

// Package record reads back what "landlockd once --format=json" wrote, so that a
// snapshot can be judged later and elsewhere.
//
// A file may have been made by anybody: its size is bounded, and whatever a
// reader of a [scan.Snapshot] relies on is checked. Members that this package
// does not know are passed over, because a later landlockd may have written them;
// words that it does not know are refused, because nothing sound can be said of
// what they stand for.
//
// What a file does not hold, a snapshot does not have: TID and start time of a
// task are 0 where they were left out because all tasks of its process were
// alike. Members that follow from others ("counts", "nesting_limit", "start",
// "depth_exact", a process's "domains", ...) are not read.
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
	// parents[i] is the domain that Domains[i] is nested in; domains[i] that
	// of Tasks[i].
	parents, domains []domainid.ID
	// rulesetOf[i] is the ruleset of Domains[i], or noRuleset.
	rulesets  []*domainid.Ruleset
	rulesetOf []int32
	rules     int
	// unread are the processes in domains of which the file does not say what
	// they restrict.
	unread []int32
}

const noRuleset int32 = -1

func (l *loader) read(dec *json.Decoder) error {
	var schema string
	var summary, rulesets, domains, workloads, processes bool
	err := stream(dec,
		required("schema", word(&schema)),
		required("summary", boolean(&summary)),
		required("host", l.host),
		required("source", l.source),
		required("scan", l.scan),
		array("rulesets", &rulesets, l.ruleset),
		array("domains", &domains, l.domain),
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
	case !domains || !processes:
		return errors.New("domains or processes are missing")
	}
	switch _, err := dec.Token(); {
	case errors.Is(err, errTooLong):
		return err
	case !errors.Is(err, io.EOF):
		return errors.New("something stands behind the snapshot")
	}
	return l.resolve()
}

func (l *loader) host(value string) error {
	k := &l.snap.Kernel
	var landlock string
	err := object(value,
		required("kernel_release", text(&k.Release, maxName)),
		required("landlock", word(&landlock)),
		required("abi", integer(&k.ABI, 0, 1<<16)),
	)
	if err != nil {
		return err
	}
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

// resolve turns the names of domains into indices.
func (l *loader) resolve() error {
	index := make(map[domainid.ID]int32, len(l.snap.Domains))
	for i := range l.snap.Domains {
		d := &l.snap.Domains[i]
		if _, found := index[d.ID]; found {
			return fmt.Errorf("domains[%d]: %s stands there twice", i, d.ID)
		}
		d.Parent = domainid.Outermost
		if parent := l.parents[i]; parent != domainid.None {
			p, found := index[parent]
			if !found {
				return fmt.Errorf("domains[%d]: parent %s does not stand before it", i, parent)
			}
			if l.snap.Domains[p].Depth >= d.Depth {
				return fmt.Errorf("domains[%d]: at depth %d, but nested in %s at depth %d", i, d.Depth, parent, l.snap.Domains[p].Depth)
			}
			d.Parent = p
		}
		index[d.ID] = int32(i)
		if n := l.rulesetOf[i]; n != noRuleset {
			if int(n) >= len(l.rulesets) {
				return fmt.Errorf("domains[%d]: ruleset %d is none of the snapshot's", i, n)
			}
			d.Ruleset = l.rulesets[n]
		}
	}
	defer l.resolveRestricted()
	for i := range l.snap.Processes {
		p := &l.snap.Processes[i]
		if p.Workload != scan.NoWorkload && int(p.Workload) >= len(l.snap.Workloads) {
			return fmt.Errorf("processes[%d] (pid %d): workload %d is none of the snapshot's", i, p.PID, p.Workload)
		}
		for t := p.FirstTask; t < p.FirstTask+p.NumTasks; t++ {
			l.snap.Tasks[t].Domain = domainid.Outermost
			if id := l.domains[t]; id != domainid.None {
				d, found := index[id]
				if !found {
					return fmt.Errorf("processes[%d] (pid %d): domain %s is none of the snapshot's", i, p.PID, id)
				}
				l.snap.Tasks[t].Domain = d
			}
			if p.State == scan.Unknown {
				// Not told of such a process, but of its tasks.
				p.MaxDepth = max(p.MaxDepth, l.depth(&l.snap.Tasks[t]))
			}
		}
	}
	return nil
}

// resolveRestricted completes processes of which an older landlockd did not write
// what they restrict: as if their rules had not been read.
func (l *loader) resolveRestricted() {
	s := l.snap
	for _, i := range l.unread {
		p := &s.Processes[i]
		if s.Source.Rules == "none" {
			continue
		}
		p.RulesUnread = s.Source.Rules == "read"
		p.Restricted = access.Every()
		for _, t := range s.TasksOf(p) {
			if t.State == scan.Sandboxed {
				p.Restricted = p.Restricted.Intersect(domainid.Handled(s.Domains, t.Domain))
			}
		}
	}
}

func (l *loader) depth(t *scan.Task) uint16 {
	switch {
	case t.State != scan.Sandboxed:
		return 0
	case t.Domain < 0:
		return 1 // at least
	default:
		return l.snap.Domains[t.Domain].Depth
	}
}
