// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/provoke"
	"github.com/landlockd/landlockd/test/testenv"
)

// lastDenials is what explain's JSON has of them.
type lastDenials struct {
	NotKnown *string `json:"not_known"`
	Way      string
	Fed      bool
	Last     []struct {
		Count    int
		Domain   string
		Blockers []string
		PID      int32
		Exe      string
		Object   string
		Path     string
	}
}

// TestExplainLastDenials: what a process was denied, from the confined daemon, by
// its socket.
func TestExplainLastDenials(t *testing.T) {
	needCounters(t)
	socket := filepath.Join(testenv.PublicDir(t), "s")
	flag := apiFlag + socket
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--confine=require", flag}})
	dir := testenv.PublicDir(t)
	c, err := provoke.Start(exec.Command(self, roleArg, "provoke", "fs.read_file", dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	pid := fmt.Sprint(c.PID())
	if !d.scrape(t).countsDenialsBy("counters") {
		t.Skip("this kernel has tracepoints, or audit is on already")
	}
	wants(t, explain(t, pid, flag, "--no-paths"), "Last denials: not known, which is not none: here the kernel only counts them")

	off := auditOn(t)
	const n = 23
	if err := c.Provoke(n); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all denials are told", func() bool { return d.scrape(t)[readFileDenials] >= n })
	file := filepath.Join(dir, "file")
	wants(t, explain(t, pid, flag, "--no-paths"),
		"Last denials of it, of the ", "; audit does not report all:\n",
		"  open a file for reading (fs.read_file): "+file, fmt.Sprintf(", %d times, the last at that time\n", n))
	other := explain(t, fmt.Sprint(os.Getpid()), flag)
	wants(t, other, "Last denials: none of it, of the ")

	var j struct{ Denials lastDenials }
	if err := json.Unmarshal([]byte(explain(t, pid, flag, "--no-paths", "-o", "json")), &j); err != nil {
		t.Fatal(err)
	}
	if l := j.Denials; l.NotKnown != nil || l.Way != "audit" || !l.Fed || len(l.Last) == 0 {
		t.Fatalf("%+v", l)
	}
	sum := 0
	for _, x := range j.Denials.Last {
		sum += x.Count
		if x.PID != c.PID() || x.Path != file || x.Object != "file" || len(x.Blockers) != 1 || x.Blockers[0] != "fs.read_file" || x.Domain == "" || x.Exe != self {
			t.Errorf("%+v", x)
		}
	}
	if sum != n {
		t.Errorf("%d denials are told, want %d", sum, n)
	}

	// Who is not root is not answered, with all that the command itself needs.
	p := runWith(t, asNobody(unix.CAP_BPF, unix.CAP_PERFMON), "explain", pid, flag, "--no-paths")
	if p.wait(t) != 0 {
		t.Fatalf("%s", &p.stderr)
	}
	wants(t, p.stdout.String(), "Last denials: not known, which is not none: this is for root alone")

	off()
	if strings.Contains(explain(t, pid, apiFlag, "--no-paths"), "Last denials") {
		t.Error("a daemon was asked, although the flag is empty")
	}
	d.stop(t)
	wants(t, explain(t, pid, flag, "--no-paths"), "Last denials: not known, which is not none: no daemon runs", "has ended")

	// The file that it left is in nobody's way.
	d = startDaemon(t, daemonOptions{args: []string{"--confine=require", flag, "--no-collector.denials"}})
	wants(t, explain(t, pid, flag, "--no-paths"), "the daemon runs with --no-collector.denials")
	p = run(t, "--web.listen-address="+testenv.FreeAddress(t), flag)
	if p.wait(t) != exitFailure || !strings.Contains(p.stderr.String(), "another program listens there") {
		t.Errorf("a second daemon: code %d: %s", p.wait(t), &p.stderr)
	}
	d.stop(t)
}

// withRun runs a command with a /run of its own, mounted with options.
func withRun(options string) []string {
	return []string{"unshare", "--mount", "sh", "-c", "mount -t tmpfs -o " + options + ` tmpfs /run && exec "$@"`, "sh"}
}

// TestUsualSocket: it is made where nothing is, for every user to connect; where it
// cannot be made, landlockd starts all the same, unless it was asked for.
func TestUsualSocket(t *testing.T) {
	d := startDaemon(t, daemonOptions{prefix: withRun("rw"), args: []string{usualAPI, "--confine=require"}})
	root := fmt.Sprintf("/proc/%d/root", d.cmd.Process.Pid)
	st, err := os.Lstat(root + "/run/landlockd/landlockd.sock")
	if err != nil || st.Mode() != fs.ModeSocket|0o666 {
		t.Errorf("%v, %v", st, err)
	}
	if st, err := os.Stat(root + "/run/landlockd"); err != nil || st.Mode() != fs.ModeDir|0o755 {
		t.Errorf("%v, %v", st, err)
	}
	if text := d.stderr.String(); strings.Contains(text, "level=WARN") || strings.Contains(text, "level=warn") {
		t.Errorf("%s", text)
	}
	d.stop(t)

	d = startDaemon(t, daemonOptions{prefix: withRun("ro"), args: []string{usualAPI, "--confine=require"}})
	wants(t, d.stderr.String(), "No API", "read-only file system")
	d.stop(t)

	p := launch(t, nil, append(withRun("ro"), landlockd, "--web.listen-address="+testenv.FreeAddress(t), apiFlag+"/run/landlockd/landlockd.sock")...)
	if p.wait(t) != exitFailure || !strings.Contains(p.stderr.String(), "--api.socket: ") {
		t.Errorf("code %d: %s", p.wait(t), &p.stderr)
	}
	for _, bad := range []string{"s", "@s"} {
		p := run(t, "--web.listen-address="+testenv.FreeAddress(t), apiFlag+bad)
		checkRefusal(t, p, exitUsage, "--api.socket", "absolute path")
	}
}
