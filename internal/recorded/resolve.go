// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// resolve turns the names of domains into indices, and finds what follows from those.
func (r *reader) resolve() error {
	index, err := r.resolveDomains()
	if err == nil {
		err = r.resolveViews(index)
	}
	if err == nil {
		err = r.resolveScenes(index)
	}
	for i := 0; err == nil && i < len(r.snap.Processes); i++ {
		p := &r.snap.Processes[i]
		if err = r.resolveProcess(p, index); err != nil {
			err = fmt.Errorf("processes[%d] (pid %d): %w", i, p.PID, err)
		}
	}
	return err
}

// domainIndex finds the places of domains.
type domainIndex map[domainid.ID]int32

// find returns the place of a domain, or Outermost for none.
func (x domainIndex) find(id domainid.ID) (int32, error) {
	if id == domainid.None {
		return domainid.Outermost, nil
	}
	d, found := x[id]
	if !found {
		return domainid.Outermost, fmt.Errorf("domain %s is none of the snapshot's", id)
	}
	return d, nil
}

func (r *reader) resolveDomains() (domainIndex, error) {
	index := make(domainIndex, len(r.snap.Domains))
	for i := range r.snap.Domains {
		d := &r.snap.Domains[i]
		if _, found := index[d.ID]; found && d.ID != domainid.None {
			return nil, fmt.Errorf("domains[%d]: %s stands there twice", i, d.ID)
		}
		d.Parent = domainid.Outermost
		if parent := r.parents[i]; parent != domainid.None {
			p, found := index[parent]
			if !found {
				return nil, fmt.Errorf("domains[%d]: parent %s does not stand before it", i, parent)
			}
			if r.snap.Domains[p].Depth >= d.Depth {
				return nil, fmt.Errorf("domains[%d]: at depth %d, but nested in %s at depth %d", i,
					d.Depth, parent, r.snap.Domains[p].Depth)
			}
			d.Parent = p
		}
		index[d.ID] = int32(i)
		if n := r.rulesetOf[i]; n != nil {
			if int(*n) >= len(r.rulesets) {
				return nil, fmt.Errorf("domains[%d]: ruleset %d is none of the snapshot's", i, *n)
			}
			d.Ruleset = r.rulesets[*n]
		}
	}
	return index, nil
}

func (r *reader) resolveViews(index domainIndex) error {
	for i := range r.snap.Views {
		v := &r.snap.Views[i]
		var err error
		if v.Domain, err = index.find(r.viewed[i]); err != nil {
			return fmt.Errorf("views[%d]: %w", i, err)
		}
		if v.Domain == domainid.Outermost {
			continue // of a domain without a name: no task can have it
		}
		if layers, depth := len(v.Everywhere), int(r.snap.Domains[v.Domain].Depth); layers > depth {
			return fmt.Errorf("views[%d]: %d layers, but domain %s is at depth %d", i, layers,
				r.viewed[i], depth)
		}
	}
	return nil
}

func (r *reader) resolveProcess(p *scan.Process, index domainIndex) error {
	s := r.snap
	if p.Workload != scan.NoWorkload && int(p.Workload) >= len(s.Workloads) {
		return fmt.Errorf("workload %d is none of the snapshot's", p.Workload)
	}
	least, most := ^uint16(0), uint16(0)
	for i := p.FirstTask; i < p.FirstTask+p.NumTasks; i++ {
		t := &s.Tasks[i]
		if err := r.resolveTask(t, r.domains[i], index); err != nil {
			return err
		}
		least, most = min(least, t.Depth), max(most, t.Depth)
	}
	if p.State == scan.Unknown {
		p.MaxDepth = most // not in the file for such a process, but for its tasks
	} else if p.Depth != least || p.MaxDepth != most {
		return fmt.Errorf("it is at depths %d to %d, but its tasks are at %d to %d", p.Depth,
			p.MaxDepth, least, most)
	}
	for i := p.FirstWorker; i < p.FirstWorker+p.NumWorkers; i++ {
		w := &s.Workers[i]
		for k, at := range [...]*scan.Place{&w.Real, &w.Acting} {
			var err error
			if at.Domain, err = index.find(r.places[i][k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolveTask completes a task: of what is known of its domain, its depth follows.
func (r *reader) resolveTask(t *scan.Task, domain domainid.ID, index domainIndex) (err error) {
	if t.Domain, err = index.find(domain); err != nil {
		return err
	}
	inside := t.Domain != domainid.Outermost
	if inside {
		d := &r.snap.Domains[t.Domain]
		t.Depth, t.DepthExact = d.Depth, d.Lineage == domainid.LineageKnown
	}
	if t.View != domainid.NoView && (!inside || int(t.View) >= len(r.snap.Views) ||
		r.snap.Views[t.View].Domain != t.Domain) {
		return fmt.Errorf("view %d is none of its domain", t.View)
	}
	if t.Scene != domainid.NoScene && (!inside || int(t.Scene) > len(r.snap.Scenes) ||
		r.snap.Scenes[t.Scene-1].Domain != t.Domain) {
		return fmt.Errorf("scene %d is none of its domain", t.Scene-1)
	}
	return nil
}
