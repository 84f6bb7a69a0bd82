// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// resolve turns the names of domains into indices, and finds what follows from those.
func (l *loader) resolve() error {
	index, err := l.resolveDomains()
	if err == nil {
		err = l.resolveViews(index)
	}
	for i := 0; err == nil && i < len(l.snap.Processes); i++ {
		p := &l.snap.Processes[i]
		if err = l.resolveProcess(p, index); err != nil {
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

func (l *loader) resolveDomains() (domainIndex, error) {
	index := make(domainIndex, len(l.snap.Domains))
	for i := range l.snap.Domains {
		d := &l.snap.Domains[i]
		if _, found := index[d.ID]; found && d.ID != domainid.None {
			return nil, fmt.Errorf("domains[%d]: %s stands there twice", i, d.ID)
		}
		d.Parent = domainid.Outermost
		if parent := l.parents[i]; parent != domainid.None {
			p, found := index[parent]
			if !found {
				return nil, fmt.Errorf("domains[%d]: parent %s does not stand before it", i, parent)
			}
			if l.snap.Domains[p].Depth >= d.Depth {
				return nil, fmt.Errorf("domains[%d]: at depth %d, but nested in %s at depth %d", i,
					d.Depth, parent, l.snap.Domains[p].Depth)
			}
			d.Parent = p
		}
		index[d.ID] = int32(i)
		if n := l.rulesetOf[i]; n != noRuleset {
			if int(n) >= len(l.rulesets) {
				return nil, fmt.Errorf("domains[%d]: ruleset %d is none of the snapshot's", i, n)
			}
			d.Ruleset = l.rulesets[n]
		}
	}
	return index, nil
}

func (l *loader) resolveViews(index domainIndex) error {
	for i := range l.snap.Views {
		v := &l.snap.Views[i]
		d, err := index.find(l.viewed[i])
		if err != nil {
			return fmt.Errorf("views[%d]: %w", i, err)
		}
		if v.Domain = d; d == domainid.Outermost {
			continue // of a domain without a name: no task can have it
		}
		if layers, depth := len(v.Everywhere), int(l.snap.Domains[d].Depth); layers > depth {
			return fmt.Errorf("views[%d]: %d layers, but domain %s is at depth %d", i, layers,
				l.viewed[i], depth)
		}
	}
	return nil
}

func (l *loader) resolveProcess(p *scan.Process, index domainIndex) error {
	s := l.snap
	if p.Workload != scan.NoWorkload && int(p.Workload) >= len(s.Workloads) {
		return fmt.Errorf("workload %d is none of the snapshot's", p.Workload)
	}
	least, most := ^uint16(0), uint16(0)
	for i := p.FirstTask; i < p.FirstTask+p.NumTasks; i++ {
		t := &s.Tasks[i]
		if err := l.resolveTask(t, l.domains[i], index); err != nil {
			return err
		}
		least, most = min(least, t.Depth), max(most, t.Depth)
	}
	switch p.State {
	case scan.Unknown:
		p.MaxDepth = most // not in the file for such a process, but for its tasks
	default:
		if p.Depth != least || p.MaxDepth != most {
			return fmt.Errorf("it is at depths %d to %d, but its tasks are at %d to %d", p.Depth,
				p.MaxDepth, least, most)
		}
	}
	for i := p.FirstWorker; i < p.FirstWorker+p.NumWorkers; i++ {
		w := &s.Workers[i]
		for k, at := range [...]*scan.Place{&w.Real, &w.Acting} {
			d, err := index.find(l.places[i][k])
			if err != nil {
				return err
			}
			at.Domain = d
		}
	}
	return nil
}

// resolveTask completes a task: of what is known of its domain, its depth follows.
func (l *loader) resolveTask(t *scan.Task, domain domainid.ID, index domainIndex) error {
	d, err := index.find(domain)
	if err != nil {
		return err
	}
	if t.Domain = d; d != domainid.Outermost {
		t.Depth, t.DepthExact = l.snap.Domains[d].Depth,
			l.snap.Domains[d].Lineage == domainid.LineageKnown
	}
	if t.View == domainid.NoView {
		return nil
	}
	if int(t.View) >= len(l.snap.Views) || l.snap.Views[t.View].Domain != d ||
		d == domainid.Outermost {
		return fmt.Errorf("view %d is none of its domain", t.View)
	}
	return nil
}
