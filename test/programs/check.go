// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// patience is how long a program may take until it is in its sandbox and rests, and
// rest for how long strace must have seen nothing new.
const (
	patience = time.Minute
	rest     = 300 * time.Millisecond
)

// Scan makes a scan while a program runs whose root directory is a path.
type Scan func(root string) (*scan.Snapshot, error)

// Check starts a program in an empty directory, waits until it is in its sandbox,
// and compares a scan with what strace saw, which it returns.
func (t *Tree) Check(p Program, dir string, snapshot Scan) (Trace, error) {
	r, err := t.Start(p, dir)
	if err != nil {
		return Trace{}, err
	}
	trace, err := r.compare(snapshot)
	r.End()
	if err != nil {
		return trace, fmt.Errorf("%s: %w\nwhat it said:\n%s", p.Name, err, r.Said())
	}
	return trace, nil
}

// Line says what was compared of a program.
func (t *Tree) Line(p Program, trace Trace) string {
	name, way, _ := strings.Cut(p.Name, ",")
	return fmt.Sprintf("%s %s%s: %s, equal", name, t.Versions[p.Package], way, trace)
}

// compare waits until the program rests, and compares a scan with what strace saw:
// the same before and after it.
func (r *Running) compare(snapshot Scan) (Trace, error) {
	var last Trace
	began, since := time.Now(), time.Now()
	for time.Since(began) < patience {
		trace, err := r.Trace()
		if err != nil {
			return trace, err
		}
		switch {
		case !reflect.DeepEqual(trace, last):
			last, since = trace, time.Now()
		case r.Ended():
			return trace, errors.New("it ended")
		case time.Since(since) > rest && r.inside(trace):
			snap, err := snapshot(fmt.Sprintf("/proc/%d/root", r.cmd.Process.Pid))
			if err != nil {
				return trace, err
			}
			different := trace.Compare(snap)
			if different != nil {
				time.Sleep(rest) // what a task did may be written down late
			}
			if after, err := r.Trace(); err != nil || reflect.DeepEqual(trace, after) {
				return trace, errors.Join(err, different)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return last, fmt.Errorf("not in its sandbox and at rest after %s: %s", patience, last)
}

// inside reports whether the program is where it is to be looked at.
func (r *Running) inside(t Trace) bool {
	return t.Settled && len(t.Tasks) > 0 && len(t.Deepest().Layers) >= r.Layers
}

// String says what is known of the tasks, and of the layers of the deepest.
func (t Trace) String() string {
	if len(t.Tasks) == 0 {
		return "no task"
	}
	in := 0
	for _, task := range t.Tasks {
		if len(task.Layers) > 0 {
			in++
		}
	}
	deepest := t.Deepest()
	var rights []string
	rules := 0
	for _, l := range deepest.Layers {
		rights = append(rights, fmt.Sprint(l.Handled.Count()))
		rules += len(l.Rules)
	}
	return fmt.Sprintf("%d of %d tasks sandboxed, layers: %d, rights: %s, rules: %d",
		in, len(t.Tasks), len(deepest.Layers), strings.Join(rights, " "), rules)
}
