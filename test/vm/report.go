// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

// Boot is one start of a guest.
type Boot struct {
	Machine
	// Guest is what the summary counts, Name what is printed of this start of it,
	// Version that of its kernel.
	Guest, Name, Version string
	// Checks are run in this order: a name of the guest's registry, and arguments
	// behind colons (protocol.CommandLine). The check "kernel" is added.
	Checks []string
	// Shown are the keys of the facts that are always printed.
	Shown []string
	// Strict: a check that is skipped has failed.
	Strict bool
	// Last: it counts even if the guest says that it was too slow.
	Last bool
	// Judge returns what is amiss with what the guest said, beside checks that failed. It may
	// be nil, and is called for several boots at the same time.
	Judge func([]protocol.Line) []string
}

// Report boots guests, prints what came of each boot, and sums it up: a guest has
// failed if one of its boots has. Its methods may be called at the same time.
type Report struct {
	Options
	mu                   sync.Mutex // guards what follows, and Out
	ran, failed, skipped []string   // names of guests
	boots, checks        int
}

// Boot boots a guest and judges what it says. A run that is cancelled says nothing. It reports
// whether it failed and was too slow to be judged by that: then it is printed, but counts for
// nothing, and is to be booted once more.
func (r *Report) Boot(ctx context.Context, b Boot) (again bool) {
	checks := append(slices.Clone(b.Checks), "kernel")
	b.CommandLine, b.timeout = commandLine(b.CommandLine, checks), r.Timeout
	out, err := b.run(ctx)
	if ctx.Err() != nil {
		return false
	}
	v := judge(out, err, checks)
	if b.Strict {
		for _, skipped := range v.skipped {
			v.problems = append(v.problems, "skipped: "+skipped)
		}
	}
	if b.Judge != nil {
		v.problems = append(v.problems, b.Judge(v.lines)...)
	}
	if !v.ok() {
		v.console = filepath.Join(r.Logs, strings.ReplaceAll(b.Name, "/", "-")+".console.log")
		if err := os.WriteFile(v.console, out.console, 0o644); err != nil {
			v.problems = append(v.problems, err.Error())
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	again = r.add(b.Guest, v, b.Last)
	v.print(r.Out, b.Name, b.Version, out.took, r.Verbose, b.Shown...)
	return again
}

// add counts a boot, or reports that it is to be booted again.
func (r *Report) add(guest string, v *verdict, last bool) (again bool) {
	if v.tooSlow() && !last {
		return true
	}
	r.boots++
	r.checks += len(v.passed)
	note(&r.ran, guest)
	if !v.ok() {
		note(&r.failed, guest)
	}
	return false
}

// note adds a name to a list unless it is there.
func note(list *[]string, name string) {
	if !slices.Contains(*list, name) {
		*list = append(*list, name)
	}
}

// Printf prints a line of its own.
func (r *Report) Printf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.Out, format, args...)
}

// Skipped notes a guest that is not booted, and why.
func (r *Report) Skipped(guest string, err error) {
	r.Printf("skip  %-14s %v\n", guest, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	note(&r.skipped, guest+": "+err.Error())
}

// Failed notes a guest that could not even be booted.
func (r *Report) Failed(guest string, err error) {
	r.Printf("FAIL  %-14s %s\n", guest, indent(err.Error()))
	r.mu.Lock()
	defer r.mu.Unlock()
	note(&r.failed, guest)
}

// ok reports whether nothing failed and something ran.
func (r *Report) ok() bool { return len(r.failed) == 0 && len(r.ran) > 0 }

func (r *Report) summary() string {
	return fmt.Sprintf("%d ran, %d skipped%s, %d failed%s (%d boots, %d checks passed)",
		len(r.ran), len(r.skipped), list(r.skipped), len(r.failed), list(r.failed), r.boots, r.checks)
}

func list(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}
