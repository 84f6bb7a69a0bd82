// SPDX-License-Identifier: Apache-2.0

package api

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

func pidfd(t *testing.T, pid int) *os.File {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	t.Cleanup(func() { f.Close() })
	return f
}

// TestFind: each condition alone is enough for a caller not to be believed.
func TestFind(t *testing.T) {
	dead := exec.Command("true")
	if err := dead.Start(); err != nil {
		t.Fatal(err)
	}
	ended := pidfd(t, dead.Process.Pid)
	if err := dead.Wait(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		peer    func(*peer)
		process func(*scan.Process)
		want    bool
	}{
		"all holds":               {want: true},
		"another user connected":  {peer: func(p *peer) { p.uid = 1 }},
		"another group connected": {peer: func(p *peer) { p.gid = 1 }},
		"no PID":                  {peer: func(p *peer) { p.pid = 0 }},
		"another PID":             {peer: func(p *peer) { p.pid = 8 }},
		"it went at once":         {peer: func(p *peer) { p.process = nil }},
		"it went":                 {peer: func(p *peer) { p.process = ended }},
		"confined":                {peer: func(p *peer) { p.label = "docker-default (enforce)" }},
		"another user by now":     {process: func(p *scan.Process) { p.UID = 0 }},
		"another group by now":    {process: func(p *scan.Process) { p.Credentials.GID = 0 }},
		"younger":                 {process: func(p *scan.Process) { p.Start = uint64(2 * time.Second) }},
	} {
		p := &peer{pid: 7, uid: 1000, gid: 1001, process: pidfd(t, os.Getpid()), uptime: time.Second}
		s := &scan.Snapshot{Processes: []scan.Process{{
			PID: 7, UID: 1000, Start: uint64(time.Second), Credentials: scan.Credentials{GID: 1001, SysPtrace: true},
		}}}
		if c.peer != nil {
			c.peer(p)
		}
		if c.process != nil {
			c.process(&s.Processes[0])
		}
		got := p.find(s)
		if (got != nil) != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if got != nil && got.Credentials.SysPtrace {
			t.Error("it may have got the capability after it connected, and is believed")
		}
	}
}

func TestConfined(t *testing.T) {
	for label, want := range map[string]bool{
		"": false, "unconfined": false, "unconfined\n\x00": false, "kernel": false,
		"unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023": false, "system_u:system_r:unconfined_service_t:s0": false, "u:r:unconfined_t": false,
		"docker-default (enforce)": true, "unconfined//&x (enforce)": true, "?": true, "_": true,
		"system_u:system_r:container_t:s0:c1,c2": true, "unconfined_u:unconfined_r:container_t:s0": true, "x:y": true, "::": true,
	} {
		if got := (&peer{label: label}).confined(); got != want {
			t.Errorf("%q: %v", label, got)
		}
	}
}
