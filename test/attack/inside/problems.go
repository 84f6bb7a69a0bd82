// SPDX-License-Identifier: Apache-2.0

package inside

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Foreign are the names of the machine's other ABIs. A call by one of them ends the
// process with SIGSYS.
func Foreign() []string { return slices.Sorted(maps.Keys(foreign)) }

// Problems returns what is wrong with a report: each attack must have been tried on each
// kind of thread, and refused as it is to be, but for some that may succeed.
func Problems(r Report, may ...string) (problems []string) {
	if len(r.Errors) != 3 {
		problems = append(problems, fmt.Sprintf("%d kinds of threads attacked, want 3", len(r.Errors)))
	}
	for kind, errors := range r.Errors {
		for _, a := range attacks(victims{}) {
			got, tried := errors[a.name]
			if !tried {
				problems = append(problems, fmt.Sprintf("%s: %s: not tried", kind, a.name))
			} else if want := string(a.want); got != want && !slices.Contains(may, a.name) {
				problems = append(problems, fmt.Sprintf("%s: %s: %q, want %q", kind, a.name, got, want))
			}
		}
	}
	return problems
}

// Privileges returns what any thread of a process has that none of the serving stage may
// have, by /proc/[pid]/status.
func Privileges(pid int) (problems []string, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) < 3 {
		return nil, fmt.Errorf("%d threads of process %d: %w", len(files), pid, err)
	}
	want := []string{"NoNewPrivs 1", "Seccomp 2", "Groups"}
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		want = append(want, set+" 0000000000000000")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		lines := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			lines[strings.Join(strings.Fields(strings.Replace(line, ":", " ", 1)), " ")] = true
		}
		for _, w := range want {
			if !lines[w] {
				problems = append(problems, fmt.Sprintf("%s: not %q", file, w))
			}
		}
	}
	return problems, nil
}

// Reads are the names of attacks that a domain is to refuse.
func Reads() (names []string) {
	for _, a := range reads(victims{}) {
		names = append(names, a.name)
	}
	return names
}

// Count returns how many attacks came to what, in words.
func Count(r Report) string {
	counts := map[string]int{}
	for _, errors := range r.Errors {
		for _, name := range errors {
			counts[name]++
		}
	}
	return fmt.Sprint(counts)
}

// Filtered returns the numbers of the system calls that the filter must have refused, once
// all attacks were tried, but for some that may succeed.
func Filtered(may ...string) map[int]bool {
	calls := map[int]bool{}
	for _, a := range attacks(victims{}) {
		calls[int(a.number)] = calls[int(a.number)] ||
			a.want != byLandlock && !slices.Contains(may, a.name)
	}
	return calls
}
