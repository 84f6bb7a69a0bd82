// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

var workloadLabel = regexp.MustCompile(`^landlock_workload_processes\{.*workload="([^"]*)"`)

// TestChurn: who runs programs of ever new names, outside of units, makes few series,
// and neither what was there nor a unit that comes later loses its own to them.
func TestChurn(t *testing.T) {
	const limit, many, rounds = 100, 110, 5
	tree := newCgroupTree(t)
	tree.put("lltest-first.service", stay(t, false, "sh", "-c", "read x"))
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0"}})
	different, invented := map[string]bool{}, 0
	for round := range rounds {
		if round == 2 {
			tree.put("lltest-late.service", stay(t, false, "sh", "-c", "read x"))
		}
		crowd := churn(t, tree, fmt.Sprintf("churn%d-", round), many)
		var m metrics
		eventually(t, "all are named and sandboxed", func() bool {
			m = d.scrape(t)
			return m.workload("lltest-first.service", "unsandboxed") == 1 &&
				(round < 2 || m.workload("lltest-late.service", "unsandboxed") == 1) &&
				m.state("sandboxed") >= many
		})
		sum := map[string]float64{}
		for name, v := range m {
			if label := workloadLabel.FindStringSubmatch(name); label != nil {
				different[label[1]] = true
				sum[strings.Split(strings.SplitAfter(name, `state="`)[1], `"`)[0]] += v
			}
		}
		for _, state := range []string{"sandboxed", "partial", "unsandboxed", "unknown"} {
			if want := float64(m.state(state)); sum[state] != want {
				t.Errorf("round %d: %v processes %s in workloads, %v in all", round, sum[state], state, want)
			}
		}
		if m["landlockd_workloads_folded"] < many-limit {
			t.Errorf("round %d: %v folded", round, m["landlockd_workloads_folded"])
		}
		crowd.stdin.Close()
		crowd.wait(t)
	}
	for name := range different {
		if strings.HasPrefix(name, "churn") {
			invented++
		}
	}
	if len(different) > limit+limit/5+2 || invented == 0 { // other, and the unit that came
		t.Errorf("%d different names, %d of them invented", len(different), invented)
	}
}

// churn runs programs in domains, under names that begin with a prefix, until its
// input ends.
func churn(t *testing.T, tree cgroupTree, prefix string, n int) *process {
	t.Helper()
	dir := t.TempDir()
	program, err := os.ReadFile(testenv.NeedTool(t, "sleep"))
	if err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(dir, prefix+"0000")
	if err := os.WriteFile(first, program, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range n - 1 {
		if err := os.Link(first, filepath.Join(dir, fmt.Sprintf("%s%04d", prefix, i+1))); err != nil {
			t.Fatal(err)
		}
	}
	script := `read go; for f in ` + dir + `/*; do "$@" "$f" 1000 & p="$p $!"; done; read end; kill $p; wait; exit 0`
	p := stay(t, false, slices.Concat([]string{"sh", "-c", script, "sh"}, sandboxed(1))...)
	tree.put("", p)
	if _, err := p.stdin.(*os.File).WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	return p
}
