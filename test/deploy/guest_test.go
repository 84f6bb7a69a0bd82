// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// guest is a Debian with systemd in a container of namespaces on this kernel. Its
// users and capabilities are the host's: what systemd sets up is in force.
type guest struct {
	pid string // of its systemd, on this host
}

// boot starts a guest, which ends with the test.
func boot(t *testing.T) *guest {
	t.Helper()
	testenv.NeedRoot(t)
	lower, err := debian()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cgroup := enterable(t)
	// It enters the cgroup before it makes a namespace whose root that then is.
	script := fmt.Sprintf("echo $$ >%q/cgroup.procs; exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup ./guest.sh %q %q", cgroup, lower, dir)
	cmd := exec.Command("sh", "-euc", script)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = syscall.Kill(cmd.Process.Pid, syscall.SIGKILL)
		<-done
		removeCgroup(t, cgroup)
	})
	g := &guest{}
	eventually(t, "the guest's systemd is there", func() error {
		select {
		case err := <-done:
			done <- err
			t.Fatalf("the guest: %v\n%s", err, said.String())
		default:
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", cmd.Process.Pid))
		if err != nil {
			return err
		}
		g.pid = strings.TrimSpace(string(b))
		out, err := g.try(t, "systemctl", "is-system-running")
		if state := strings.TrimSpace(out); state != "running" && state != "degraded" {
			return fmt.Errorf("%q: %w", state, errors.Join(err, errors.New("not up")))
		}
		return nil
	})
	return g
}

// enterable makes a cgroup of the unified hierarchy.
func enterable(t *testing.T) string {
	t.Helper()
	for _, base := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if _, err := os.Stat(base + "/cgroup.procs"); err != nil {
			continue
		}
		if _, err := os.Stat(base + "/cgroup.controllers"); err != nil {
			continue
		}
		dir, err := os.MkdirTemp(base, "landlockd-deploy-test-")
		if err != nil {
			t.Fatal(err)
		}
		// The guest's /sys/fs/cgroup: everybody may look there.
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	t.Fatal("this host has no unified cgroup hierarchy")
	return ""
}

func removeCgroup(t *testing.T, dir string) {
	t.Helper()
	var err error
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var below []string
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				below = append(below, path)
			}
			return nil
		})
		slices.Reverse(below)
		err = nil
		for _, d := range below {
			if e := syscall.Rmdir(d); e != nil {
				err = e
			}
		}
		if err == nil {
			return
		}
	}
	t.Errorf("remove %s: %v", dir, err)
}

// try runs a program in the guest.
func (g *guest) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return try(t.Context(), "nsenter", append([]string{"--target", g.pid, "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--root", "--wd", "--",
		"env", "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, args...)...)
}

func (g *guest) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := g.try(t, args...)
	if err != nil {
		t.Fatalf("in the guest: %v\n%s", err, g.journal(t))
	}
	return strings.TrimSpace(out)
}

// path is where a file of the guest is on this host.
func (g *guest) path(name string) string { return filepath.Join("/proc", g.pid, "root", name) }

func (g *guest) journal(t *testing.T) string {
	t.Helper()
	out, _ := g.try(t, "journalctl", "--no-pager", "--quiet", "--lines=30", "--output=cat", "--unit=landlockd.service")
	return out
}

// state is a property of a unit as systemd shows it.
func (g *guest) state(t *testing.T, property, unit string) string {
	t.Helper()
	return g.run(t, "systemctl", "show", "--property="+property, "--value", unit)
}

// mainPID is that of the service on this host.
func (g *guest) mainPID(t *testing.T) int {
	t.Helper()
	inner, err := strconv.Atoi(g.state(t, "MainPID", "landlockd.service"))
	if err != nil || inner == 0 {
		t.Fatalf("landlockd.service has no process: %v\n%s", err, g.journal(t))
	}
	return inner
}

// scrape reads the metrics in the guest's network, once they can be had: series
// and their values, as text.
func (g *guest) scrape(t *testing.T, address string) map[string]string {
	t.Helper()
	var page map[string]string
	eventually(t, "metrics are served at "+address, func() error {
		out, err := try(t.Context(), "nsenter", "--target", g.pid, "--net", "curl", "--silent", "--show-error", "--fail", "--max-time", "10", "http://"+address+"/metrics")
		page = parse(out)
		return err
	})
	return page
}

// parse reads a page of metrics.
func parse(text string) map[string]string {
	page := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			page[line[:at]] = line[at+1:]
		}
	}
	return page
}

// mustBe compares series with what they must be.
func mustBe(t *testing.T, page, want map[string]string) {
	t.Helper()
	for series, value := range want {
		if got, ok := page[series]; !ok || got != value {
			t.Errorf("%s is %q, want %q", series, got, value)
		}
	}
}

// healthy is what a landlockd must say that scans, and is confined in every way.
var healthy = map[string]string{
	"landlockd_scan_success":                       "1",
	`landlockd_confined{mechanism="capabilities"}`: "1",
	`landlockd_confined{mechanism="dumpable"}`:     "1",
	`landlockd_confined{mechanism="groups"}`:       "1",
	`landlockd_confined{mechanism="inherited"}`:    "1",
	`landlockd_confined{mechanism="keyring"}`:      "1",
	`landlockd_confined{mechanism="landlock"}`:     "1",
	`landlockd_confined{mechanism="no_new_privs"}`: "1",
	`landlockd_confined{mechanism="seccomp"}`:      "1",
	`landlockd_confined{mechanism="user"}`:         "1",
	"landlockd_config_last_reload_successful":      "1",
}
