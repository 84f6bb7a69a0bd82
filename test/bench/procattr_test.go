// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/bench/record"
	"github.com/landlockd/landlockd/test/testenv"
)

// The guest whose kernel has the attribute, by our patch.
const attributeGuest = "7.3-patched"

// BenchmarkProcattr measures the source that reads the attribute, in a guest whose kernel has it,
// beside a loop in C that makes the same calls.
func BenchmarkProcattr(b *testing.B) {
	testenv.NeedRoot(b)
	c := exec.Command("go", "run", "./test/kernels/cmd/test-kernels", "-guests="+attributeGuest, "-boots=both",
		"-jobs=1", "-v", "-checks=cost:tasks=1000:rounds=15")
	c.Dir = "../.."
	out, err := c.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	const fact = " cost costs "
	_, text, found := strings.Cut(string(out), fact)
	text, _, _ = strings.Cut(text, "\n")
	var costs struct {
		Processes          int
		Scan, Loop, Scrape []float64
	}
	if err := json.Unmarshal([]byte(text), &costs); !found || err != nil || len(costs.Loop) == 0 {
		b.Fatalf("the guest does not say what it measured: %v\n%s", err, out)
	}
	part := &record.Part{
		Title: "By the attribute",
		Method: "In a guest with Linux " + attributeGuest + ", that is 7.3 with our patch: no kernel that is released has " +
			"the attribute. The guest is emulated, some ten times as slow: only ratios mean something.",
	}
	beside := grouped(costs.Processes) + " processes"
	for _, subject := range []struct {
		name    string
		samples []float64
	}{
		{"a scan of procattr", costs.Scan}, {"a loop in C with the same calls", costs.Loop},
		{"a whole scrape of landlockd", costs.Scrape},
	} {
		part.Figures = append(part.Figures, record.Figure{
			Subject: subject.name, Population: beside, Tasks: costs.Processes, Quantity: cpuTime, Unit: "ms",
			Spread: record.Spreads(subject.samples),
		})
	}
	part.Budgets = []record.Budget{{
		What: "a scan of procattr, to a loop in C with the same calls", Unit: "×",
		Measured: part.Figures[0].Median / part.Figures[1].Median, Bound: 1.3,
	}}
	keep(b, "procattr", part)
}
