// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/test/netns"
)

// costs is what checkCost measured, as test/bench reads it: processor time in milliseconds, a
// sample for each round.
type costs struct {
	Processes int
	// Scan is that of procattr's, Loop that of a loop in C with the same calls, Scrape that of
	// a whole scrape of landlockd.
	Scan, Loop, Scrape []float64
}

// checkCost measures what procattr takes beside a loop in C with the same calls, in turns. It
// judges nothing: test/bench does. Arguments: tasks, of the population; rounds.
func checkCost(t *T) {
	rounds, c := t.Number("rounds", 11), costs{}
	tasks := t.Arg("tasks", "1000")
	sleepers := startLineProgram(t, "/bench/population", tasks, "mix")
	if line := sleepers.line(t); line != "ready\n" {
		t.Fatalf("the population says %q", line)
	}
	source, err := procattr.Open(procattr.Options{})
	t.Must(err)
	defer source.Close()
	loop := startLineProgram(t, "/bench/attrloop", "attr/landlock/domain")
	t.Must(netns.LoopbackUp())
	wakeLater(t)
	d := startDaemon(t, "--source=procattr", "--scan.min-interval=0", "--api.socket=")
	d.scrape(t)
	for i := range rounds + 3 {
		before := cpuOf(t, unix.CLOCK_PROCESS_CPUTIME_ID)
		_, err := source.Scan(context.Background())
		t.Must(err)
		scan := cpuOf(t, unix.CLOCK_PROCESS_CPUTIME_ID) - before

		_, err = loop.in.Write([]byte{'\n'})
		t.Must(err)
		var looped time.Duration
		if _, err := fmt.Sscan(loop.line(t), (*int64)(&looped), &c.Processes); err != nil {
			t.Fatalf("the loop: %v", err)
		}

		before = d.cpu(t)
		d.scrape(t)
		scraped := d.cpu(t) - before
		if i < 3 {
			continue // they learn what processes there are
		}
		c.Scan, c.Loop = append(c.Scan, inMS(scan)), append(c.Loop, inMS(looped))
		c.Scrape = append(c.Scrape, inMS(scraped))
	}
	d.stop(t)
	text, err := json.Marshal(c)
	t.Must(err)
	t.Fact("costs", string(text))
}

// wakeLater has all threads of this process sleep as those of the daemon do, which sets it before
// it has any.
func wakeLater(t *T) {
	tasks, err := os.ReadDir("/proc/self/task")
	t.Must(err)
	for _, task := range tasks {
		t.Must(os.WriteFile("/proc/"+task.Name()+"/timerslack_ns", []byte("1000000"), 0))
	}
}

// cpu is the processor time of all processes of a daemon that runs: who reads the attribute is
// not who serves.
func (r *running) cpu(t *T) (all time.Duration) {
	first := r.cmd.Process.Pid
	processes, err := procfs.AllProcs()
	t.Must(err)
	for _, p := range processes {
		stat, err := p.Stat()
		t.Must(err)
		if p.PID == first || stat.PPID == first {
			all += cpuOf(t, int32(^p.PID)<<3|2) // as clock_getcpuclockid(3)
		}
	}
	return all
}

func inMS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func cpuOf(t *T, id int32) time.Duration {
	var ts unix.Timespec
	t.Must(unix.ClockGettime(id, &ts))
	return time.Duration(ts.Nano())
}

// lineProgram is one that answers by lines. It ends with its input.
type lineProgram struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func startLineProgram(t *T, name string, args ...string) *lineProgram {
	c := exec.Command(name, args...)
	in, err := c.StdinPipe()
	t.Must(err)
	out, err := c.StdoutPipe()
	t.Must(err)
	t.Must(c.Start())
	t.Cleanup(func() {
		in.Close()
		if err := c.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return &lineProgram{in, bufio.NewReader(out)}
}

func (p *lineProgram) line(t *T) string {
	line, err := p.out.ReadString('\n')
	t.Must(err)
	return line
}
