// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// TestExampleOfPage: the example of docs/explain.md is what is written.
func TestExampleOfPage(t *testing.T) {
	const truncate, all = 1 << 14, 1<<16 - 1
	d := layer(-1, access.Rights{access.FS: all, access.Net: 3, access.Scope: 2}, domainid.Ruleset{
		Rules: 6, Ports: []domainid.PortRule{{Port: 0, Net: 1}, {Port: 53, Net: 2}, {Port: 443, Net: 2}},
		Inodes: []domainid.InodeRule{
			{Dev: 0x801, Ino: 12, FS: writeFile | truncate}, {Dev: 0x801, Ino: 77, FS: writeFile | truncate},
		},
	})
	d.Creator = domainid.Creator{PID: 2299, Comm: "launcher", Exe: "/usr/libexec/launcher"}
	d.Log = domainid.LogPending
	s, p := host([]domainid.Domain{d}, 0, 0, 0)
	s.Views[0].Everywhere = []uint32{readFile | 1<<3}
	bind, _ := access.Lookup("net.bind_tcp")
	connect, _ := access.Lookup("net.connect_tcp")
	for _, w := range access.AllWays() {
		if w.Name == "mptcp" && (w.Right == bind || w.Right == connect) || w.Name == "tcp_fast_open" && w.Right == connect {
			s.Kernel.Ways |= w.Ways()
		}
	}
	p.PID, p.Exe, p.ExeOrigin = 2301, "/usr/bin/resolver", scan.OfHost
	copy(p.Comm[:], "resolver")
	p.NoNewPrivs, p.Seccomp = scan.OfAll, scan.OfAll
	for i := range s.Tasks {
		s.Tasks[i].TID, s.Tasks[i].UID = int32(2301+i), 993
		s.Tasks[i].Hardening = scan.NoNewPrivs | scan.SeccompFilter
	}
	p.UID = 993
	s.Workloads = []scan.Workload{{Name: "resolver.service", FullName: "resolver.service"}}
	p.Workload = 0
	e := Of(s, p)
	e.Roots = &Roots{All: []Root{{TIDs: []int32{2301}, Path: "/srv/jail", Own: true}}}
	e.Places = map[File]string{{0x801, 12}: "/var/lib/resolver"}
	e.Gone = map[File]bool{{0x801, 77}: true}
	e.Rules = []policy.Explanation{
		{Rule: &policy.Rule{Name: "resolver", Severity: "critical", File: "/etc/landlockd/landlockd.yml", Line: 3},
			Applies: access.Yes, Result: policy.Compliant},
		{Rule: &policy.Rule{Name: "web", Severity: "warning", File: "/etc/landlockd/landlockd.yml", Line: 9},
			Applies: access.No, Why: "unit does not match"},
	}
	e.Denials = &Denials{Way: "audit", Fed: true, Remembered: 12, Last: []denials.Denial{{
		Time: time.Unix(1_750_000_100, 0), Count: 3, Blockers: []string{"fs.read_file"}, PID: 2301,
		Object: denials.File, Path: "/etc/shadow",
	}}}
	e.Origin, e.By = "daemon", "By the daemon at /run/landlockd/landlockd.sock"
	var b bytes.Buffer
	if err := e.Text(&b, false, 0); err != nil {
		t.Fatal(err)
	}
	const file = "../../docs/explain.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "```\nLandlock lets ", "```\n"
	before, rest, found := strings.Cut(string(page), begin)
	example, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no example", file)
	}
	if want := strings.TrimPrefix(b.String(), "Landlock lets "); example != want {
		if *update {
			err = os.WriteFile(file, []byte(before+begin+want+end+after), 0o644)
		}
		t.Errorf("%s differs (%v); go test ./internal/explain -update writes it. Want:\n%s", file, err, want)
	}
}
