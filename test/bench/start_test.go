// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/bench/record"
	"github.com/landlockd/landlockd/test/testenv"
)

const starts = 21

// startBudget is how many milliseconds there may be from execve(2) to the end of the first answer.
const startBudget = 150

// BenchmarkStart measures how long it takes from execve(2) to the end of the first answer, with
// all that is on unless somebody switches it off.
func BenchmarkStart(b *testing.B) {
	testenv.NeedRoot(b)
	dir := testenv.PublicDir(b)
	program := buildLandlockd(b, dir)
	// As make install does: another user may not read it, so that it need not be copied.
	if err := os.Chmod(program, 0o711); err != nil {
		b.Fatal(err)
	}
	population10k := population{10_000, "mix"}
	part := &record.Part{
		Title: "Start",
		Method: fmt.Sprintf("From `execve(2)` to the last byte of the first answer of `/metrics`, which has all that later "+
			"ones have: the kernel's types are read, Landlock's place in credentials found, all programs verified and "+
			"attached, the process is confined and executed again, and the host scanned. %d starts of a program of mode "+
			"0711, as `make install` leaves it.", starts),
	}
	for _, p := range []population{{}, population10k} {
		end := p.start(b, buildC(b, dir, "population"))
		var took, cpu []float64
		for range starts {
			t, c := startOnce(b, program, dir)
			took, cpu = append(took, ms(t)), append(cpu, ms(c))
			time.Sleep(100 * time.Millisecond) // the kernel takes the last one apart meanwhile
		}
		end()
		for _, q := range []struct {
			name    string
			samples []float64
		}{{"to the first answer", took}, {"processor time", cpu}} {
			part.Figures = append(part.Figures, record.Figure{
				Subject: "landlockd", Population: p.String(), Tasks: p.tasks,
				Quantity: q.name, Unit: "ms", Spread: record.Spreads(q.samples),
			})
		}
	}
	part.Budgets = []record.Budget{{
		What: "from `execve(2)` to the end of the first answer", Unit: "ms",
		Measured: ledger{b, part}.of("landlockd", population{}, "to the first answer"), Bound: startBudget,
	}}
	keep(b, "start", part)
}

// startOnce starts a daemon, and ends it behind its first answer. It returns how long that
// answer took, and what processor time the daemon took in all.
func startOnce(b *testing.B, program, dir string) (took, cpu time.Duration) {
	b.Helper()
	addr := testenv.FreeAddress(b)
	s := &server{url: "http://" + addr + "/metrics", client: client()}
	c := exec.Command(program, "--log.level=warn", "--api.socket="+filepath.Join(dir, "socket"), "--web.listen-address="+addr)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	said := new(testenv.Output)
	c.Stdout, c.Stderr = said, said
	began := time.Now()
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	var page []byte
	var err error
	// Once it listens it answers when it can: only the time until then is waited for in steps.
	for page, err = s.page(); err != nil && time.Since(began) < startTime; page, err = s.page() {
		time.Sleep(time.Millisecond)
	}
	took = time.Since(began)
	s.client.CloseIdleConnections()
	_ = c.Process.Kill()
	_ = c.Wait()
	if err != nil {
		b.Fatalf("landlockd does not serve: %v\n%s", err, said)
	}
	for _, complete := range []string{
		"landlockd_scan_success 1", `landlock_runs_total{state="sandboxed"}`, `rules="read"`,
	} {
		if !bytes.Contains(page, []byte(complete)) {
			b.Fatalf("the first answer has no %s: %s\n%s", complete, said, page)
		}
	}
	if text := said.String(); strings.Contains(text, "level=") {
		b.Fatalf("landlockd complains: %s", text)
	}
	return took, c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}
