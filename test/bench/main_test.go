// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/test/bench/record"
	"github.com/landlockd/landlockd/test/testenv"
)

var recordTo = flag.String("bench.record", "", "directory that gets what was measured, a file for each part")

// keep prints what a part measured (all of it with -v), writes it if that was asked for, and fails for each budget
// that is missed.
func keep(b *testing.B, name string, p *record.Part) {
	b.Helper()
	b.ReportMetric(0, "ns/op") // leaves it out
	var err error
	if p.Machine, err = record.This(); err != nil {
		b.Fatal(err)
	}
	for _, f := range p.Figures {
		if !testing.Verbose() {
			break
		}
		b.Logf("%-16s %7d %-12s %-18s %12.4g %-6s (%.4g to %.4g, %d samples)",
			f.Subject, f.Tasks, f.Population, f.Quantity, f.Median, f.Unit, f.Low, f.High, f.Samples)
	}
	if *recordTo != "" {
		if err := p.Write(*recordTo, name); err != nil {
			b.Fatal(err)
		}
	}
	for _, budget := range p.Budgets {
		is := "at most"
		if budget.Least {
			is = "at least"
		}
		v := judge(budget, instead)
		said := fmt.Sprintf("%s: %.4g %s, %s %.4g", budget.What, budget.Measured, budget.Unit, is, v.bound)
		if v.excuse != nil {
			said += fmt.Sprintf(" (instead of %.4g, as %.4g was reached: %s)", budget.Bound, v.excuse.reached, v.excuse.reason)
		}
		if v.holds {
			b.Log(said)
		} else {
			b.Error(said)
		}
	}
}

// buildLandlockd builds the program as it is released, into dir.
func buildLandlockd(b *testing.B, dir string) string {
	b.Helper()
	path := filepath.Join(dir, "landlockd")
	c := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w -funcalign=16", "-o", path, "github.com/landlockd/landlockd/cmd/landlockd")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("build landlockd: %v\n%s", err, out)
	}
	return path
}

// buildC compiles a program of the folder of that name into dir.
func buildC(b *testing.B, dir, name string) string {
	b.Helper()
	path := filepath.Join(dir, name)
	c := exec.Command(testenv.NeedTool(b, "cc"), "-O2", "-Wall", "-static", "-pthread", "-o", path, filepath.Join("program", name+".c"))
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("compile %s: %v\n%s", name, err, out)
	}
	return path
}
