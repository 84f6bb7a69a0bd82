// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Compare returns where a snapshot differs from what strace saw. The tasks still
// are as they were when both were made: it looks up what their paths are.
func (t Trace) Compare(snap *scan.Snapshot) error {
	c := comparison{
		snap: snap, meaning: snap.Meaning(),
		tasks: map[int32]Task{}, of: map[*scan.Process]expected{},
	}
	for _, task := range t.Tasks {
		c.tasks[task.TID] = task
	}
	found := 0
	for i := range snap.Processes {
		p := &snap.Processes[i]
		for _, st := range snap.TasksOf(p) {
			task, traced := c.tasks[st.TID]
			if !traced {
				continue
			}
			found++
			if err := c.task(p, &st, task); err != nil {
				c.wrong(p, fmt.Errorf("task %d: %w", st.TID, err))
			}
		}
	}
	if found != len(t.Tasks) || found == 0 {
		c.errs = append(c.errs,
			fmt.Errorf("the snapshot has %d of the %d tasks that strace saw", found, len(t.Tasks)))
	}
	for p, want := range c.of {
		if err := c.process(p, want); err != nil {
			c.wrong(p, err)
		}
	}
	return errors.Join(c.errs...)
}

type comparison struct {
	snap    *scan.Snapshot
	meaning *domainid.Meaning
	tasks   map[int32]Task
	of      map[*scan.Process]expected
	errs    []error
}

func (c *comparison) wrong(p *scan.Process, err error) {
	c.errs = append(c.errs, fmt.Errorf("process %d (%q): %w", p.PID, p.Comm.String(), err))
}

// expected is what is known of a process from those of its tasks that were looked at.
type expected struct {
	tasks, sandboxed  int
	shallow, deep     int
	handles, restrict access.Rights
}

// task compares one task, and adds what is known of it to what is known of its process.
func (c *comparison) task(p *scan.Process, st *scan.Task, task Task) error {
	want := c.of[p]
	want.tasks++
	c.of[p] = want
	if len(task.Layers) == 0 {
		if st.State != scan.Unsandboxed || st.Domain != domainid.Outermost {
			return fmt.Errorf("%s, in domain %d; want unsandboxed", st.State, st.Domain)
		}
		return nil
	}
	if st.State != scan.Sandboxed || int(st.Depth) != len(task.Layers) || !st.DepthExact {
		return fmt.Errorf("%s, depth %d (exact: %v); want sandboxed, depth %d",
			st.State, st.Depth, st.DepthExact, len(task.Layers))
	}
	layers := c.meaning.Layers(st.Domain, st.View)
	if len(layers) != len(task.Layers) {
		return fmt.Errorf("%d layers, want %d", len(layers), len(task.Layers))
	}
	objects, err := objectsOf(task.TID, paths(task))
	if err != nil {
		return err
	}
	var errs []error
	var handles, restricts access.Rights
	all := map[any]bool{} // an object or a port
	for i, l := range task.Layers {
		w, err := l.expect(objects, c.snap.Kernel.ABI, all)
		if err != nil {
			return err
		}
		if err := c.layer(&layers[i], w); err != nil {
			errs = append(errs, fmt.Errorf("layer %d: %w", i+1, err))
		}
		handles, restricts = handles.Union(w.handled), restricts.Union(w.restricts)
	}
	if got := c.snap.Domains[st.Domain].Rules; int(got) != len(all) {
		errs = append(errs, fmt.Errorf("%d rules, want %d", got, len(all)))
	}
	want.add(len(task.Layers), handles, restricts)
	c.of[p] = want
	return errors.Join(errs...)
}

// add adds a task in so many layers: a process may do what any of its tasks may.
func (e *expected) add(layers int, handles, restricts access.Rights) {
	if e.sandboxed == 0 {
		e.shallow, e.handles, e.restrict = layers, handles, restricts
	}
	e.sandboxed++
	e.shallow, e.deep = min(e.shallow, layers), max(e.deep, layers)
	e.handles, e.restrict = e.handles.Intersect(handles), e.restrict.Intersect(restricts)
}

// wanted is what a layer must come to.
type wanted struct {
	handled, restricts access.Rights
	rules              *domainid.Ruleset
}

// expect works out what a layer comes to, and adds what its rules are on to those of
// the task's other layers.
func (l Layer) expect(objects map[string]object, abi int, all map[any]bool) (w wanted, err error) {
	files, ports := map[object]uint32{}, map[uint16]uint32{}
	for _, r := range l.Rules {
		if r.Class == access.Net {
			ports[r.Port] |= r.Rights
			all[r.Port] = true
			continue
		}
		o, ok := objects[r.Path]
		if !ok {
			return w, fmt.Errorf("it is not known what %s is", r.Path)
		}
		files[o] |= r.Rights
		all[o] = true
	}
	w.rules = &domainid.Ruleset{Rules: uint32(len(files) + len(ports))}
	w.handled = access.Implied(l.Handled, abi)
	w.restricts = w.handled.Without(access.FS.Rights(files[objects["/"]]))
	for port, rights := range ports {
		w.rules.Ports = append(w.rules.Ports, domainid.PortRule{Port: port, Net: rights})
	}
	for o, rights := range files {
		w.rules.Inodes = append(w.rules.Inodes,
			domainid.InodeRule{Dev: o.dev, Ino: o.ino, FS: rights, FSRoot: o.fsRoot})
	}
	slices.SortFunc(w.rules.Ports, func(a, b domainid.PortRule) int {
		return cmp.Compare(a.Port, b.Port)
	})
	slices.SortFunc(w.rules.Inodes, func(a, b domainid.InodeRule) int {
		return cmp.Or(cmp.Compare(a.Dev, b.Dev), cmp.Compare(a.Ino, b.Ino))
	})
	return w, nil
}

func (c *comparison) layer(l *domainid.Layer, want wanted) error {
	d := &c.snap.Domains[l.Domain]
	switch {
	case d.Handled != want.handled || d.HandlesOther:
		return fmt.Errorf("handles %v (others: %v), want %v", d.Handled, d.HandlesOther, want.handled)
	case l.Handles != access.Exactly(want.handled) || l.Doubt != 0 ||
		l.Restricts != access.Exactly(want.restricts):
		return fmt.Errorf("handles %v, restricts %v, in doubt: %v; want %v and %v",
			l.Handles, l.Restricts, l.Doubt.Words(), want.handled, want.restricts)
	case d.Ruleset == nil:
		return errors.New("its rules were not read")
	case !reflect.DeepEqual(d.Ruleset, want.rules):
		return fmt.Errorf("rules\n%+v, want\n%+v", *d.Ruleset, *want.rules)
	}
	return nil
}

// process compares what a process is with what its tasks are, all of which strace saw.
func (c *comparison) process(p *scan.Process, want expected) error {
	if n := len(c.snap.TasksOf(p)); n != want.tasks {
		return fmt.Errorf("strace saw %d of its %d tasks", want.tasks, n)
	}
	state, depth := scan.Partial, 0
	switch want.sandboxed {
	case 0:
		state = scan.Unsandboxed
	case want.tasks:
		state, depth = scan.Sandboxed, want.shallow
	}
	if p.State != state || int(p.Depth) != depth || int(p.MaxDepth) != want.deep {
		return fmt.Errorf("%s, depth %d to %d; want %s, depth %d to %d",
			p.State, p.Depth, p.MaxDepth, state, depth, want.deep)
	}
	sandbox, inside := c.snap.SandboxOf(p)
	if inside != (want.sandboxed > 0) {
		return fmt.Errorf("in a sandbox: %v", inside)
	}
	if !inside {
		return nil
	}
	if sandbox.Handles != access.Exactly(want.handles) || sandbox.Doubt != 0 ||
		sandbox.Restricts != access.Exactly(want.restrict) {
		return fmt.Errorf("handles %v, restricts %v, in doubt: %v; want %v and %v",
			sandbox.Handles, sandbox.Restricts, sandbox.Doubt.Words(), want.handles, want.restrict)
	}
	ineffective := access.No
	if state == scan.Sandboxed && want.restrict.Empty() {
		ineffective = access.Yes
	}
	if got := c.snap.Ineffective(p); got != ineffective {
		return fmt.Errorf("ineffective: %s, want %s", got, ineffective)
	}
	return nil
}

// paths are what the rules of a task are on.
func paths(t Task) []string {
	set := map[string]bool{}
	for _, l := range t.Layers {
		for _, r := range l.Rules {
			if r.Class == access.FS {
				set[r.Path] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}
