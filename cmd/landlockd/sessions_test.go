// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

var update = flag.Bool("update", false, "write what sessions print into testdata/sessions")

// TestMain has this program be landlockd, too, for the sessions.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"landlockd": main})
}

// TestSessions runs what people type, and compares what they then see. README.md shows some of
// it, which TestReadme holds. There is no host but two recorded ones.
func TestSessions(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/sessions", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LANG", "C.UTF-8")
			for name, h := range map[string]*hosts.Host{"host.json": servers(), "bare.json": bare()} {
				f, err := os.Create(filepath.Join(env.WorkDir, name))
				if err != nil {
					return err
				}
				defer f.Close()
				if err := recorded.Write(f, &h.Snapshot, recorded.Options{}); err != nil {
					return err
				}
			}
			return nil
		},
	})
}

// README.md shows what the first session prints.
func TestReadme(t *testing.T) {
	session, err := txtar.ParseFile("testdata/sessions/first.txtar")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, f := range session.Files {
		command := "$ sudo landlockd " + f.Name + "\n"
		if !strings.Contains(string(readme), command) {
			continue
		}
		shown++
		printed, _, _ := strings.Cut(string(f.Data), "Recorded in ")
		if !strings.Contains(string(readme), command+printed+"By the daemon at ") {
			t.Errorf("README.md does not show what %q prints:\n%s", f.Name, printed)
		}
	}
	if shown != 2 {
		t.Errorf("README.md shows %d commands of the session, want services and tree", shown)
	}
}

// bare is a host where nothing is sandboxed.
func bare() *hosts.Host {
	h := withUnits("cron.service", "init.scope")
	of(h, "init.scope", h.Process(1, 0, "systemd", hosts.Free()))
	of(h, "cron.service", h.Process(540, 1, "cron", hosts.Free()))
	return h
}

// servers is a host with what one finds on servers.
func servers() *hosts.Host {
	h := withUnits("cron.service", "init.scope", "postgresql.service", "spool.service",
		"systemd-resolved.service", "web.service")
	made := func(id domainid.ID, parent int32, handled access.Rights, everywhere ...uint32) scan.Task {
		d := h.Domain(id, parent)
		h.Domains[d].Handled = handled
		return hosts.Seen(d, h.View(d, everywhere...))
	}
	const files, writes = 0x7fff, 0x3ff2 // all rights on files; those that change something
	whole := access.Rights{access.FS: files, access.Net: 3, access.Scope: 3}
	resolver := made(0x1e67bda0b, domainid.Outermost, whole, 0)
	postgres := made(0x1e67bda19, domainid.Outermost, access.Rights{access.FS: writes}, 0)
	backup := made(0x1e67bda2c, postgres.Domain, access.Rights{access.Net: 3}, 0)
	h.Views[backup.View].Everywhere = []uint32{0, 0}
	web := made(0x1e67bdb00, domainid.Outermost, access.Rights{access.FS: writes}, 0)
	idle := made(0x1e67bdb01, domainid.Outermost, access.Rights{access.FS: files | access.Refer}, files|access.Refer)

	of(h, "init.scope", h.Process(1, 0, "systemd", hosts.Free()))
	of(h, "systemd-resolved.service", h.Process(410, 1, "systemd-resolve", resolver))
	of(h, "cron.service", h.Process(540, 1, "cron", hosts.Free()))
	of(h, "web.service", h.Process(611, 1, "web", web, web, hosts.Free()))
	of(h, "spool.service", h.Process(640, 1, "spool", idle))
	of(h, "postgresql.service", h.Process(700, 1, "postgres", postgres))
	for pid := int32(711); pid < 771; pid++ {
		of(h, "postgresql.service", h.Process(pid, 700, "postgres", postgres))
	}
	of(h, "postgresql.service", h.Process(900, 700, "pg_dump", backup))
	of(h, "postgresql.service", h.Process(910, 700, "logger", hosts.Free()))
	return h
}

// withUnits is a host with units of systemd, whose names ascend.
func withUnits(names ...string) *hosts.Host {
	h := hosts.New()
	h.Source.Rules, h.Uptime = "read", time.Hour
	for _, name := range names {
		h.Workloads = append(h.Workloads, scan.Workload{
			Name: name, FullName: name, Kind: scan.Unit, Unit: name, Slice: "system.slice",
			Cgroup: "/system.slice/" + name,
		})
	}
	return h
}

// of puts a process into a unit.
func of(h *hosts.Host, unit string, p *scan.Process) {
	named := func(w scan.Workload) bool { return w.Name == unit }
	p.Workload = int32(slices.IndexFunc(h.Workloads, named))
}
