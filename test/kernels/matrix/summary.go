// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/test/kernels/verdict"
)

// Summary counts kernels: one has failed if one of its boots has.
type Summary struct {
	ran, failed, skipped []string // names of guests
	boots, checks        int
}

// OK tells whether nothing failed and something ran.
func (s *Summary) OK() bool { return len(s.failed) == 0 && len(s.ran) > 0 }

func (s *Summary) String() string {
	text := fmt.Sprintf("kernels: %d ran, %d skipped%s, %d failed%s (%d boots, %d checks passed)",
		len(s.ran), len(s.skipped), list(s.skipped), len(s.failed), list(s.failed), s.boots, s.checks)
	return text
}

func list(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

func (s *Summary) add(g Guest, v *verdict.Verdict) {
	s.boots++
	s.checks += len(v.Passed)
	if !v.OK() && !slices.Contains(s.failed, g.Name()) {
		s.failed = append(s.failed, g.Name())
	}
}

func (r *runner) ran(g Guest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary.ran = append(r.summary.ran, g.Name())
}

func (r *runner) skipped(g Guest, err error) {
	r.printf("skip  %-14s %v\n", g.Name(), err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary.skipped = append(r.summary.skipped, g.Name()+": "+err.Error())
}

// failed notes a kernel that could not even be booted.
func (r *runner) failed(g Guest, err error) {
	r.printf("FAIL  %-14s %s\n", g.Name(), verdict.Indent(err.Error()))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.summary.failed = append(r.summary.failed, g.Name())
}
