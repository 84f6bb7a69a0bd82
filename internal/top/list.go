// SPDX-License-Identifier: Apache-2.0

package top

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/facts"
	"github.com/landlockd/landlockd/internal/services"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/internal/tree"
	"github.com/landlockd/landlockd/scan"
)

// view is what is listed.
type view int

const (
	ofServices view = iota
	ofProcesses
	ofDomains
	ofDenials
	numViews
)

func (v view) String() string {
	return [...]string{"services", "processes", "domains", "denials"}[v]
}

// sorts are the orders of a view, the usual one first.
func (v view) sorts() []string {
	switch v {
	case ofServices:
		return services.Sorts()
	case ofProcesses:
		return tree.Sorts()
	case ofDomains:
		return tree.DomainSorts()
	default:
		return []string{"time"}
	}
}

// list is the rows of a view: those that the filter keeps, in their order.
type list struct {
	// keys name what is in the rows, from one look to the next.
	keys []string
	// write writes titles, and the rows of a part of them.
	write func(w io.Writer, from, to int, style table.Style) error
	// open opens a row.
	open func(i int)
}

// keep keeps of some things those that have the filter in their text, or as the beginning of a
// state: "sandboxed" is in "unsandboxed".
func keep[T any](all []T, filter string, of func(*T) (text string, states []string)) []T {
	if filter == "" {
		return all
	}
	filter = strings.ToLower(filter)
	return slices.DeleteFunc(all, func(v T) bool {
		text, states := of(&v)
		begins := func(state string) bool { return strings.HasPrefix(state, filter) }
		return !strings.Contains(strings.ToLower(text), filter) && !slices.ContainsFunc(states, begins)
	})
}

func keysOf[T any](all []T, key func(*T) string) []string {
	keys := make([]string, len(all))
	for i := range all {
		keys[i] = key(&all[i])
	}
	return keys
}

func (m *model) services() list {
	s := m.sight.Snapshot
	name := func(v *services.Service) string { return v.Name }
	all := keep(services.Of(s, m.sight.Rules), m.filter, func(v *services.Service) (string, []string) {
		return v.Name, []string{v.Word(), facts.StateWord(v.State(), v.Ineffective)}
	})
	services.Sort(all, m.sort())
	return list{
		keys: keysOf(all, name),
		write: func(w io.Writer, from, to int, style table.Style) error {
			return services.Text(w, s, all[from:to], style, false)
		},
		open: func(i int) { m.narrow(all[i].Name, workload(all[i].Name)) },
	}
}

func (m *model) processes() list {
	s := m.sight.Snapshot
	all := tree.Processes(s, &tree.Filter{})
	if m.only.keep != nil {
		kept := m.only.keep(s)
		all = slices.DeleteFunc(all, func(i int32) bool { return !kept(&s.Processes[i]) })
	}
	all = keep(all, m.filter, func(i *int32) (string, []string) {
		p, name := &s.Processes[*i], ""
		if w := s.WorkloadOf(p); w != nil {
			name = w.Name
		}
		text := fmt.Sprint(p.PID, " ", p.Comm, " ", p.Exe, " ", name)
		return text, []string{facts.StateWord(p.State, s.Ineffective(p))}
	})
	tree.Sort(s, all, m.sort())
	return list{
		keys: keysOf(all, func(i *int32) string { return fmt.Sprint(s.Processes[*i].PID) }),
		write: func(w io.Writer, from, to int, style table.Style) error {
			return tree.List(w, s, all[from:to], style, false)
		},
		open: func(i int) { m.explain(&s.Processes[all[i]]) },
	}
}

func (m *model) domains() list {
	s := m.sight.Snapshot
	domains := tree.NewByDomain(s)
	domains.Domains = keep(domains.Domains, m.filter, func(i *int32) (string, []string) {
		return s.Domains[*i].ID.String() + " " + s.Domains[*i].Creator.Comm, nil
	})
	domains.Sort(m.sort())
	all := domains.Domains
	return list{
		keys: keysOf(all, func(i *int32) string { return s.Domains[*i].ID.String() }),
		write: func(w io.Writer, from, to int, style table.Style) error {
			return domains.Text(w, all[from:to], style)
		},
		open: func(i int) {
			f := tree.Filter{Domain: s.Domains[all[i]].ID}
			if f.Domain == domainid.None {
				m.said = "This domain has no ID by which to find its processes"
				return
			}
			m.narrow("domain "+f.Domain.String(), f.Of)
		},
	}
}

// workload keeps the processes of one workload, by its whole name: it is no pattern.
func workload(name string) func(*scan.Snapshot) func(*scan.Process) bool {
	return func(s *scan.Snapshot) func(*scan.Process) bool {
		return func(p *scan.Process) bool {
			w := s.WorkloadOf(p)
			return w != nil && w.Name == name
		}
	}
}
