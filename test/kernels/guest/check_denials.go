// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/netns"
	"github.com/landlockd/landlockd/test/provoke"
)

// checkDenials provokes denials for the reasons that this kernel has, and compares
// them with what landlockd, confined as it serves, counts. Arguments: way, by what
// it must count; n, how many of each reason; class, which reasons (fs, other; all if
// it is left out); flood, how many at once, of one reason alone; processes, how many are denied
// so at the same time; backlog, the number of audit records that may wait in the kernel.
func checkDenials(t *T) {
	t.Must(netns.LoopbackUp())
	way, n := t.Arg("way", "tracepoints"), t.Number("n", 1000)
	if way == "audit" {
		// With a long backlog the kernel itself loses nothing.
		t.Must(provoke.SetAudit(provoke.Audit{Enabled: true, BacklogLimit: uint32(t.Number("backlog", 300_000))}))
		t.Cleanup(func() { t.Must(provoke.SetAudit(provoke.Audit{BacklogLimit: 64})) })
	}
	d := startDaemon(t, "--scan.min-interval=0", "--log.level=debug")
	text := d.scrape(t)
	factSource(t, text)
	if way == "audit" && strings.Contains(d.text(), "are not counted") {
		t.Errorf("what the kernel loses is not counted: %s", d.text())
	}
	if !strings.Contains(text, `denials="`+way+`"`) {
		t.Fatalf("denials are not counted by %s: %s; %s", way, line(text, "landlockd_source_info"), d.text())
	}
	if flood := t.Number("flood", 0); flood > 0 {
		expectFlood(t, d, flood)
	} else {
		class := t.Arg("class", "")
		for _, blocker := range provoke.Kinds(landlock.Rights().Sure) {
			if class == "" || (class == "fs") == strings.HasPrefix(blocker, "fs.") {
				expectDenials(t, d, blocker, n)
			}
		}
	}
	expectRemembered(t, way)
	d.stop(t)
}

// expectRemembered looks at the denials that the daemon remembers: what each way says of them.
func expectRemembered(t *T, way string) {
	ctx, cancel := context.WithTimeout(context.Background(), daemonTime)
	defer cancel()
	last, err := api.AskDenials(ctx, api.DefaultPath, 0)
	t.Must(err)
	if len(last.Denials) == 0 {
		t.Errorf("no denial is remembered")
	}
	for _, d := range last.Denials {
		// The provokers sandbox themselves and ask for no other log than the usual one;
		// landlockd executes its serving stage in the domain.
		sameExec, logged := access.Yes, access.Yes
		switch {
		case way == "audit":
			sameExec = access.Unknown // its records do not have it
		case d.Comm == "landlockd":
			sameExec, logged = access.No, access.No
		}
		other := d.Object == denials.Task || way != "audit" &&
			slices.Contains(d.Blockers, "scope.abstract_unix_socket")
		if d.Logged != logged || d.SameExec != sameExec || other && d.TargetPID == 0 {
			t.Errorf("remembered: %+v", d)
		}
	}
}

// counted is what a scrape says of denials.
type counted struct{ blocker, others, total, lost, workloads float64 }

func readCounted(text, blocker string) counted {
	var c counted
	for l := range strings.Lines(text) {
		series, number, _ := strings.Cut(strings.TrimSpace(l), " ")
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			continue
		}
		switch name, _, _ := strings.Cut(series, "{"); {
		case series == `landlock_denials_by_blocker_total{blocker="`+blocker+`"}`:
			c.blocker = v
		case name == "landlock_denials_by_blocker_total":
			c.others += v
		case name == "landlock_denials_total":
			c.total = v
		case name == "landlockd_denials_lost_total":
			c.lost = v
		case name == "landlock_workload_denials_total":
			c.workloads += v
		}
	}
	return c
}

func (c counted) minus(b counted) counted {
	return counted{c.blocker - b.blocker, c.others - b.others, c.total - b.total, c.lost - b.lost, c.workloads - b.workloads}
}

// expectDenials compares each count with how many there were.
func expectDenials(t *T, d *running, blocker string, n int) {
	c := startProvoker(t, blocker)
	defer stopProvoker(t, c)
	before := readCounted(d.scrape(t), blocker)
	t.Must(c.Provoke(n))
	least, most := provoke.Denials(blocker, uint64(n))
	var got counted
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(50 * time.Millisecond) {
		got = readCounted(d.scrape(t), blocker).minus(before)
		if got.total >= float64(least) && got.blocker+got.lost >= got.total && got.workloads+got.lost >= got.blocker {
			break
		}
	}
	// Tracepoints count each by its blocker, whatever is lost for its workload. Of
	// the audit log this few must not be lost.
	exact := got.blocker >= float64(least) && got.blocker <= float64(most) && got.others == 0 && got.total == got.blocker
	if !exact || got.workloads+got.lost != got.blocker || got.lost > 0 && t.Arg("way", "tracepoints") == "audit" {
		t.Errorf("%s: %d were denied, counted: %+v", blocker, n, got)
	}
}

// expectFlood has many denials, and looks at the daemon meanwhile.
func expectFlood(t *T, d *running, n int) {
	const blocker = "fs.read_file"
	processes := t.Number("processes", 1)
	var provokers []*provoke.Child
	for range processes {
		c := startProvoker(t, blocker)
		t.Cleanup(func() { stopProvoker(t, c) })
		provokers = append(provokers, c)
	}
	before := readCounted(d.scrape(t), blocker)
	memory := ownKB(d.cmd.Process.Pid)
	done := make(chan error)
	began := time.Now()
	each := make(chan error)
	for _, c := range provokers {
		go func() { each <- c.Provoke(n / processes) }()
	}
	go func() {
		var err error
		for range provokers {
			err = errors.Join(err, <-each)
		}
		done <- err
	}()
	peak, slowest := memory, time.Duration(0)
	for flooding := true; flooding; {
		select {
		case err := <-done:
			t.Must(err)
			flooding = false
		case <-time.After(200 * time.Millisecond):
		}
		at := time.Now()
		d.scrape(t)
		slowest = max(slowest, time.Since(at))
		peak = max(peak, ownKB(d.cmd.Process.Pid))
	}
	took := time.Since(began)
	var got counted
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(200 * time.Millisecond) {
		got = readCounted(d.scrape(t), blocker).minus(before)
		if got.workloads+got.lost >= float64(n) {
			break
		}
	}
	t.Fact("flood", fmt.Sprintf("%d denials in %s: %+v; %d kB of its own, at most %d kB; slowest scrape %s", n, took, got, memory, peak, slowest))
	if got.total != float64(n) {
		t.Errorf("the kernel counted %v of %d denials", got.total, n)
	}
	// Of several processes that are denied on one CPU, the kernel skips the program of some.
	if t.Arg("way", "tracepoints") == "tracepoints" && processes == 1 && (got.blocker != float64(n) || got.workloads+got.lost != float64(n)) {
		t.Errorf("of %d denials: %+v", n, got)
	}
	if got.blocker+got.lost < float64(n) || got.workloads+got.lost < float64(n) {
		t.Errorf("of %d denials some are neither told nor counted as lost: %+v", n, got)
	}
	const slackKB = 6 << 10
	if peak > memory+slackKB {
		t.Errorf("the daemon grew from %d kB of its own to %d kB", memory, peak)
	}
}

func provokeRole(args []string) { exit("provoke", provoke.Play(args[0], args[1], os.Stdin, os.Stdout)) }

func startProvoker(t *T, blocker string) *provoke.Child {
	dir, err := os.MkdirTemp("", "provoke")
	t.Must(err)
	c, err := provoke.Start(exec.Command(self, "provoke", blocker, dir))
	if err != nil {
		t.Fatalf("%s: %v", blocker, err)
	}
	return c
}

func stopProvoker(t *T, c *provoke.Child) {
	if err := c.Stop(); err != nil {
		t.Errorf("a process that was denied ends with %v", err)
	}
}

// ownKB is the resident memory of a process, in kB, without pages of its program: those are
// mapped as they are used, and given back behind the start.
func ownKB(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(line(string(b), "RssAnon:"))
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(fields[1])
	return n
}

// line returns the first line with a beginning.
func line(text, prefix string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, prefix) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}
