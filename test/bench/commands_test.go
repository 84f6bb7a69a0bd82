// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/bench/record"
	"github.com/landlockd/landlockd/test/testenv"
)

const (
	commandRounds = 21
	// commandBudget is how many milliseconds a command may take.
	commandBudget = 30
	reference     = "ps -e"
)

// BenchmarkCommands measures how long commands take that ask the running daemon, and ps -e.
func BenchmarkCommands(b *testing.B) {
	testenv.NeedRoot(b)
	testenv.NeedTool(b, "ps")
	dir := testenv.PublicDir(b)
	program, beside := buildLandlockd(b, dir), population{1000, "sandboxed"}
	config, socket := filepath.Join(dir, "landlockd.yml"), filepath.Join(dir, "socket")
	const rules = "rules:\n  - {name: bench, match: {unit: [\"bench-*\"]}, expect: {min_depth: 1}}\n"
	if err := os.WriteFile(config, []byte(rules), 0o644); err != nil {
		b.Fatal(err)
	}
	beside.start(b, buildC(b, dir, "population"))
	serve(b, program, "--config.file="+config, "--api.socket="+socket, "--log.level=warn", "--web.listen-address=")

	commands := []string{reference, "ps", "tree", "services", "check", "explain self"}
	took, cpu := map[string][]float64{}, map[string][]float64{}
	for range commandRounds {
		for _, name := range commands {
			args := strings.Fields(name)
			if name != reference {
				args = append(append([]string{program}, args...), "--api.socket="+socket)
			}
			if name == "check" {
				args = append(args, "--config.file="+config)
			}
			t, c := runCommand(b, args)
			took[name], cpu[name] = append(took[name], ms(t)), append(cpu[name], ms(c))
			time.Sleep(100 * time.Millisecond)
		}
	}
	part := &record.Part{
		Title: "Commands",
		Method: "Root's commands that ask the running daemon, from start to end, with their output to a pipe, " +
			"in turns, 0.1 s apart, with one rule and no assets. `ps -e` is procps'.",
	}
	ratio := record.Budget{What: "a command, against `" + reference + "` in the same run", Unit: "×", Bound: 1}
	slowest := record.Budget{What: "a command that asks the daemon, beside 1 000 processes", Unit: "ms", Bound: commandBudget}
	for _, name := range commands {
		for _, q := range []struct {
			name    string
			samples []float64
		}{{"from start to end", took[name]}, {"processor time", cpu[name]}} {
			subject := name
			if name != reference {
				subject = "landlockd " + name
			}
			part.Figures = append(part.Figures, record.Figure{
				Subject: subject, Population: beside.String(), Tasks: beside.tasks,
				Quantity: q.name, Unit: "ms", Spread: record.Spreads(q.samples),
			})
		}
		if name != reference {
			median := record.Spreads(took[name]).Median
			slowest.Measured = max(slowest.Measured, median)
			ratio.Measured = max(ratio.Measured, median/record.Spreads(took[reference]).Median)
		}
	}
	part.Budgets = []record.Budget{slowest, ratio}
	keep(b, "commands", part)
}

// runCommand runs a command, and returns how long it took, and what processor time of its own.
func runCommand(b *testing.B, args []string) (took, cpu time.Duration) {
	b.Helper()
	c := exec.Command(args[0], args[1:]...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	began := time.Now()
	err := c.Run()
	took = time.Since(began)
	// check exits with 1 if a rule is violated, which some are.
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	if err == nil && args[0] != "ps" && !bytes.Contains(out.Bytes(), []byte("By the daemon at ")) {
		err = errors.New("it did not ask the daemon")
	}
	if err != nil || out.Len() == 0 {
		b.Fatalf("%v: %v\n%s%s", args, err, &out, &said)
	}
	return took, c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}
