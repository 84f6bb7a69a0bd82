// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// noSandbox is the place of the sandbox of a process that is in none.
const noSandbox int32 = -1

// Conclude works out what the domains of the snapshot's tasks mean for its
// processes, so that every reader finds it. It is for whoever makes a snapshot,
// before anybody else has it; without it readers find the same, but each works it
// out again.
func (s *Snapshot) Conclude() {
	s.Own()
	for i := range s.Domains {
		// What a live domain handles, this kernel has.
		s.Kernel.Rights = s.Kernel.Rights.Union(access.Exactly(s.Domains[i].Handled))
	}
	m := s.Meaning()
	at := map[domainid.Sandbox]int32{}
	s.sandboxes = nil // another snapshot may have the last ones
	for i := range s.Processes {
		p := &s.Processes[i]
		p.sandbox = noSandbox
		if sandbox, inside := s.conclude(m, p); inside {
			n, found := at[sandbox]
			if !found {
				n = int32(len(s.sandboxes))
				at[sandbox] = n
				s.sandboxes = append(s.sandboxes, sandbox)
			}
			p.sandbox = n
		}
		p.outside = s.concludeWorkers(p,
			func(w *Worker, outside access.Answer) { w.outside = outside })
	}
	s.concluded, s.content = true, new(content)
}

// Meaning returns what the snapshot's domains mean for tasks in them.
func (s *Snapshot) Meaning() *domainid.Meaning {
	host := domainid.Host{ABI: s.Kernel.ABI, RulesRead: s.Source.Rules == "read",
		Rights: s.Kernel.Rights, Ways: s.Kernel.Ways, WaysUnknown: s.Kernel.WaysUnknown}
	return domainid.NewMeaning(host, s.Domains, s.Views).
		WithAssets(domainid.Assets{Assets: s.Assets, Objects: s.Objects, Scenes: s.Scenes})
}

// SandboxOf returns what being in domains means for a process: for those of its
// tasks that are in one. It is false for a process that is neither Sandboxed nor
// Partial.
func (s *Snapshot) SandboxOf(p *Process) (domainid.Sandbox, bool) {
	switch {
	case !s.concluded:
		return s.conclude(s.Meaning(), p)
	case p.sandbox == noSandbox:
		return domainid.Sandbox{}, false
	default:
		return s.sandboxes[p.sandbox], true
	}
}

// Ineffective reports whether a process is sandboxed and restricted in no right:
// Yes, No for one that is not Sandboxed or is restricted in some right, and
// Unknown if its state is, too.
func (s *Snapshot) Ineffective(p *Process) access.Answer {
	switch p.State {
	case Sandboxed:
		if sandbox, inside := s.SandboxOf(p); inside {
			return sandbox.Effective().Not()
		}
		return access.Unknown // its tasks are not listed
	case Unknown:
		return access.Unknown
	default:
		return access.No
	}
}

func (s *Snapshot) conclude(
	m *domainid.Meaning, p *Process,
) (sandbox domainid.Sandbox, inside bool) {
	if p.State != Sandboxed && p.State != Partial {
		return sandbox, false
	}
	var last *Task
	for i := range s.TasksOf(p) {
		t := &s.TasksOf(p)[i]
		if t.State == Unsandboxed || last != nil && t.alike(last) {
			continue
		}
		last = t
		of := m.Task(t.Domain, t.View, t.Depth, t.DepthExact)
		of.Reach = m.Reaches(t.Domain, t.Scene)
		if inside {
			of = sandbox.And(of)
		}
		sandbox, inside = of, true
	}
	return sandbox, inside
}

// alike reports whether being in its domain means the same for two tasks.
func (t *Task) alike(o *Task) bool {
	return t.Domain == o.Domain && t.View == o.View && t.Scene == o.Scene && t.State == o.State &&
		t.Depth == o.Depth && t.DepthExact == o.DepthExact
}
