// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// smallDisk mounts a file system of so many bytes, until the test ends.
func smallDisk(t *testing.T, size int) string {
	t.Helper()
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=755", size)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestTextfileFullDisk: where a disk is full the file stays as it was, nothing is left beside
// it, and that is said; with room again it is written.
func TestTextfileFullDisk(t *testing.T) {
	dir := smallDisk(t, 64<<10)
	path, filler := filepath.Join(dir, "landlockd.prom"), filepath.Join(dir, "filler")
	once := func() *process { return run(t, "once", "--textfile="+path) }
	if p := once(); p.wait(t) != 0 {
		t.Fatal(&p.stderr)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = os.WriteFile(filler, make([]byte, 1<<20), 0o600) // as much as there is room for
	for _, left := range []int64{0, 4096} {
		if err := os.Truncate(filler, fileSize(t, filler)-left); err != nil {
			t.Fatal(err)
		}
		checkRefusal(t, once(), exitFailure, path, "no space left")
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, before) {
			t.Errorf("the file has changed: %v", err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if p := once(); p.wait(t) != 0 {
		t.Error(&p.stderr)
	}
	if now, err := os.ReadFile(path); err != nil || bytes.Equal(now, before) {
		t.Errorf("the file has not changed: %v", err)
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return st.Size()
}

// TestCgroupsGone: without cgroups, from the start or all at once, processes are what they
// are; only their workloads are named after programs.
func TestCgroupsGone(t *testing.T) {
	const unmount = `while umount -l /sys/fs/cgroup 2>/dev/null; do :; done; [ -z "$(ls /sys/fs/cgroup)" ] || exit 9`
	unshare := []string{testenv.NeedTool(t, "unshare"), "--mount", "sh", "-c"}
	t.Run("from the start", func(t *testing.T) {
		pid := stay(t, true, sandboxed(deepest, "sh", "-c", "echo ready; read x")...).cmd.Process.Pid
		d := startDaemon(t, daemonOptions{
			prefix: append(unshare, unmount+`; exec "$@"`, "sh"), args: []string{"--confine=require", "--scan.min-interval=0"},
		})
		eventually(t, fmt.Sprintf("process %d is seen, and nobody is unknown", pid), func() bool {
			m := d.scrape(t)
			m.has(t, "landlockd_scan_success", 1)
			return m.depth("16") >= 1 && m.state("unknown") == 0
		})
		if !strings.Contains(d.stderr.String(), "cgroups cannot be found") {
			t.Errorf("the log does not say so: %s", &d.stderr)
		}
		d.stop(t)
	})
	t.Run("all at once", func(t *testing.T) {
		d, tree := startWatched(t, daemonOptions{prefix: append(unshare, `exec "$@"`, "sh"), args: []string{"--confine=require"}})
		inside := []string{testenv.NeedTool(t, "nsenter"), "--mount", "--target", fmt.Sprint(d.cmd.Process.Pid), "sh", "-c", unmount}
		if p := launch(t, nil, inside...); p.wait(t) != 0 {
			t.Fatalf("unmount: %s", &p.stderr)
		}
		late := stay(t, true, sandboxed(2, "sh", "-c", "echo ready; read x")...)
		tree.put("lltest-late.service", late)
		for range 10 {
			m := d.scrape(t)
			m.has(t, "landlockd_scan_success", 1)
			if m.depth("2") < 1 || m.depth("16") < 1 {
				t.Errorf("%d processes at depth 2, %d at 16", m.depth("2"), m.depth("16"))
			}
			time.Sleep(pause)
		}
		eventually(t, "nobody is unknown", func() bool { return d.scrape(t).state("unknown") == 0 })
		d.stop(t)
	})
}

// TestConfigReplacedDuringReload: while files are replaced without a pause, in one step each,
// a reload takes one configuration or the other, whole, and the last one in the end.
func TestConfigReplacedDuringReload(t *testing.T) {
	testenv.NeedRoot(t)
	program := ownProgram(t)
	runs(t, program)
	// As Kubernetes does it: a directory with all files is replaced by a link.
	dir := testenv.PublicDir(t)
	for _, version := range []string{"old", "new"} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o755); err != nil {
			t.Fatal(err)
		}
		for n := range 5 {
			text := "rules:\n" + ruleText(fmt.Sprintf("%s-%d", version, n), program) + "# " + strings.Repeat("x", 50_000) + "\n"
			write(t, filepath.Join(dir, version, fmt.Sprintf("%d.yml", n)), text, 0o644)
		}
	}
	data := filepath.Join(dir, "data")
	flip := func(to string) {
		if err := os.Symlink(to, data+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(data+".new", data); err != nil {
			t.Fatal(err)
		}
	}
	flip("old")
	config := write(t, filepath.Join(dir, "landlockd.yml"), "rule_files: [data/*.yml]\n", 0o644)
	d := startDaemon(t, daemonOptions{args: []string{"--config.file=" + config, "--confine=require", "--web.enable-lifecycle", "--scan.min-interval=0"}})
	stop := make(chan bool)
	var busy sync.WaitGroup
	busy.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(n%7) * 10 * time.Millisecond):
				flip([]string{"old", "new"}[n%2])
			}
		}
	})
	busy.Go(func() {
		for range 200 {
			d.try("/-/healthy")
			d.signal(t, syscall.SIGHUP)
		}
	})
	seen := map[string]int{}
	for range 60 {
		if resp, body := d.do(t, http.MethodPost, "/-/reload"); resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s: %s", resp.Status, body)
		}
		m := d.scrape(t)
		n := map[string]int{}
		for name := range m {
			for _, version := range []string{"old", "new"} {
				if strings.HasPrefix(name, "landlock_rule_violated{rule=\""+version) {
					n[version]++
				}
			}
		}
		if n["old"]+n["new"] != 5 || n["old"]*n["new"] != 0 {
			t.Errorf("in force are %v", n)
		}
		for version, rules := range n {
			seen[version] += rules
		}
	}
	close(stop)
	busy.Wait()
	if seen["old"] == 0 || seen["new"] == 0 {
		t.Errorf("in force were %v", seen)
	}
	flip("new")
	d.hangUp(t)
	eventually(t, "the last one is in force", func() bool {
		m := d.scrape(t)
		return m[reloaded] == 1 && m[`landlock_rule_violated{rule="new-4",severity="warning"}`] == 1 && m[`landlockd_rules{status="loaded"}`] == 5
	})
	d.stop(t)
}

// TestLogReaderGone: a daemon whose log nobody reads any more serves on.
func TestLogReaderGone(t *testing.T) {
	testenv.NeedRoot(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := newConfig(t, "rules: []\n")
	d := startDaemon(t, daemonOptions{args: []string{c.flag(), "--confine=require"}, change: func(c *exec.Cmd) { c.Stderr = write }})
	write.Close()
	read.Close()
	c.replace(t, "rules: [{name: one, match: {unit: [none.service]}}]\n")
	d.signal(t, syscall.SIGHUP) // it is logged
	eventually(t, "the rule is loaded", func() bool {
		if d.ended() {
			t.Fatalf("it ended: %v", d.cmd.ProcessState)
		}
		_, page := d.try("/metrics")
		return strings.Contains(page, `landlockd_rules{status="loaded"} 1`)
	})
	d.stop(t)
}
