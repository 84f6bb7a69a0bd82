// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// secrets is a directory that nobody but root can search, with a file, and the configuration
// that has them as assets.
func secrets(t *testing.T) (dir, text string) {
	t.Helper()
	dir = filepath.Join(testenv.PublicDir(t), "secrets")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a_key"), "x", 0o600)
	return dir, fmt.Sprintf("assets:\n"+
		"  - {name: file, paths: [%[1]s/a_key], access: [read]}\n"+
		"  - {name: glob, paths: ['%[1]s/*_key'], access: [read, write]}\n"+
		"  - {name: absent, paths: [%[1]s/none], access: [read]}\n", dir)
}

// reach returns how many processes have an asset in some reach; -1 if that is not exported.
func (m metrics) reach(asset, reach string) float64 {
	n, ok := m[fmt.Sprintf("landlock_asset_processes{asset=%q,reach=%q}", asset, reach)]
	if !ok {
		return -1
	}
	return n
}

// knows reports whether it is known of some processes, and which, that they reach an asset or
// do not.
func (m metrics) knows(asset string) bool {
	return m.reach(asset, "within_reach")+m.reach(asset, "out_of_reach") > 0
}

const dacReadSearch = "0000000000000004" // 1 << CAP_DAC_READ_SEARCH

// A process beside the serving stage, with one capability, finds out what assets are; a
// reload changes which.
func TestAssets(t *testing.T) {
	dir, text := secrets(t)
	config := newConfig(t, text)
	d, _ := startWatched(t, daemonOptions{args: []string{config.flag(), "--confine=require"}})
	pid := checkBeside(t, d, dacReadSearch, "landlockd-paths")
	known := func() bool {
		m := d.scrape(t)
		return m.knows("file") && m.knows("glob")
	}
	eventually(t, "the assets are known", known)
	if m := d.scrape(t); m.reach("absent", "unknown") > 0 || m.knows("absent") {
		t.Errorf("what is not there is known of: %v", m)
	}
	// Each scan looks anew.
	for range 3 {
		if err := os.Rename(write(t, filepath.Join(dir, "new"), "x", 0o600), filepath.Join(dir, "a_key")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the new file is known", known)
	}
	config.replace(t, strings.ReplaceAll(text, "absent, paths: ["+dir+"/none", "absent, paths: ["+dir))
	d.hangUp(t)
	eventually(t, "the new asset is known", func() bool { return d.scrape(t).knows("absent") })
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil || len(fds) > 10 {
		t.Errorf("%d descriptors are open between scans (%v)", len(fds), err)
	}

	// One that does not answer delays one scan, once, and nothing else.
	halt(t, pid)
	began := time.Now()
	for range 20 {
		m := d.scrape(t)
		m.has(t, "landlockd_scan_success", 1)
		if m.knows("file") || m.reach("file", "unknown") <= 0 {
			t.Errorf("it is known what assets are that nobody looked at: %v", m)
		}
	}
	if took := time.Since(began); took > 35*time.Second {
		t.Errorf("twenty scrapes took %s", took)
	}
	if err := unix.Kill(pid, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the assets are known again", known)
	d.stop(t)
	eventually(t, "it ends with the daemon", func() bool { return unix.Kill(pid, 0) != nil })
	checkBesideRefusals(t, pid)
}

// Without that process assets are unknown, and nothing else is.
func TestAssetsWithoutResolver(t *testing.T) {
	_, text := secrets(t)
	config := newConfig(t, text)
	d, _ := startWatched(t, daemonOptions{args: []string{config.flag()}})
	eventually(t, "the assets are known", func() bool { return d.scrape(t).knows("file") })
	if err := unix.Kill(besideOf(t, d), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is missed", func() bool { return !d.scrape(t).knows("file") })
	m := d.scrape(t)
	m.checkWitnesses(t)
	if m.reach("file", "unknown") < 2 || !strings.Contains(d.stderr.String(), "until landlockd is started again") {
		t.Errorf("%v; log: %s", m.reach("file", "unknown"), &d.stderr)
	}
	d.stop(t)

	// So it is without the capability.
	needs := "a start with CAP_DAC_READ_SEARCH"
	d = startDaemon(t, daemonOptions{
		args: []string{config.flag(), "--scan.min-interval=0"}, change: asNobody(unix.CAP_BPF, unix.CAP_PERFMON),
	})
	if m := d.scrape(t); m.reach("file", "unknown") < 2 || m.knows("file") {
		t.Errorf("without the capability: %v", m)
	}
	if pid := besideOrNone(d); pid != 0 || !strings.Contains(d.stderr.String(), needs) {
		t.Errorf("process %d; log: %s", pid, &d.stderr)
	}
	d.stop(t)

	// And no process is started that nobody needs.
	d = startDaemon(t, daemonOptions{args: []string{newConfig(t, "assets: [{name: ssh, tcp: [22], access: [connect]}]\n").flag()}})
	if pid := besideOrNone(d); pid != 0 || strings.Contains(d.stderr.String(), needs) {
		t.Errorf("process %d; log: %s", pid, &d.stderr)
	}
	d.stop(t)
}

// A capability of its own is enough, as in a unit of systemd; and none of that is needed by
// commands, and a daemon, that stay privileged.
func TestAssetsPrivileges(t *testing.T) {
	_, text := secrets(t)
	config := newConfig(t, text)
	startWitnesses(t)
	for name, o := range map[string]daemonOptions{
		"a capability": {change: asNobody(unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_DAC_READ_SEARCH)},
		"unconfined":   {args: []string{"--confine=off"}},
	} {
		o.args = append(o.args, config.flag(), "--scan.min-interval=0")
		d := startDaemon(t, o)
		eventually(t, name+": the assets are known", func() bool { return d.scrape(t).knows("glob") })
		d.stop(t)
	}
	p := run(t, "once", config.flag())
	if m := parseMetrics(t, p.stdout.String()); !m.knows("file") {
		t.Errorf("once: %s", &p.stderr)
	}
}

// TestInsideResolver: who has taken it over reads no file, and cannot do more than to look
// for names.
func TestInsideResolver(t *testing.T) {
	_, text := secrets(t)
	program := buildAttacked(t)
	d, _ := startAttacked(t, program, "", newConfig(t, text).flag())
	pid := besideOf(t, d)
	// Lists of names, for patterns; and how a file is opened, which is the domain's to refuse.
	checkAttack(t, d, pid, "read /proc", "read /proc/SAME/fd", "read /sys/kernel", "openat2")
	eventually(t, "it goes on", func() bool { return d.scrape(t)["landlockd_scan_success"] == 1 })
	if err := syscall.Kill(pid, 0); err != nil {
		t.Error(err)
	}
	d.stop(t)
}
