// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// listedServices is what services' JSON has.
type listedServices struct {
	Schema, Origin string
	Services       []struct {
		Workload, State string
		Processes       struct{ Total int }
		Depth           *int
		Restricted      *struct{ Names []string }
		Rules           []struct{ Rule, Result string }
		Assets          []struct {
			Asset, Reach string
			Processes    struct {
				OutOfReach int `json:"out_of_reach"`
			}
		}
	}
}

func servicesOf(t *testing.T, prefix []string, args ...string) (l listedServices) {
	t.Helper()
	line := slices.Concat(prefix, []string{landlockd, "services", "-o", "json"}, args)
	p := launch(t, nil, line...)
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, &p.stderr)
	}
	if err := json.Unmarshal([]byte(p.stdout.String()), &l); err != nil || l.Schema != "landlockd/services/v1" {
		t.Fatalf("%v: %s", err, &p.stdout)
	}
	return l
}

// TestServices: the confined daemon is asked first, by a command that could not scan; without
// a daemon it scans itself, and it says which it did.
func TestServices(t *testing.T) {
	socket := filepath.Join(testenv.PublicDir(t), "s")
	flag := apiFlag + socket
	d := startDaemon(t, daemonOptions{args: []string{"--scan.min-interval=0", "--confine=require", flag}})
	stay(t, false, sandboxed(2, "sh", "-c", "read x")...)
	eventually(t, "the shell is sandboxed", func() bool {
		for _, p := range takeSnapshot(t).Processes {
			if p.Comm == "sh" && p.State == "sandboxed" {
				return true
			}
		}
		return false
	})
	config := newConfig(t, "rules: [{name: shells, match: {comm: [sh]}, expect: {min_depth: 9}, grace: 0s}]\n")
	// Of all capabilities, what the daemon asks for: no scan could be made with it.
	only := []string{"setpriv", "--bounding-set=-all,+sys_ptrace,+dac_override", "--inh-caps=-all"}
	asked := servicesOf(t, only, flag, config.flag())
	if asked.Origin != "daemon" || len(asked.Services) < 2 {
		t.Fatalf("%+v", asked)
	}
	if worst := asked.Services[0]; len(worst.Rules) == 0 || worst.Rules[0].Result != "violating" {
		t.Errorf("the first one violates no rule: %+v", worst)
	}
	if own := servicesOf(t, nil, apiFlag, config.flag()); own.Origin != "scan" || len(own.Services) < 2 {
		t.Errorf("%+v", own)
	}
	p := run(t, "services", flag, config.flag())
	wants(t, p.stdout.String(), "WORKLOAD ", "violating: shells", "By the daemon at "+socket+"\n")
	if p := run(t, "services", "--no-headers", "--state=unknown", "--workload=no/such", flag); p.wait(t) != 0 || p.stdout.String() != "" {
		t.Errorf("%s%s", &p.stdout, &p.stderr)
	}
	// How to scan is said for a scan of one's own.
	wants(t, run(t, "services", "--source=auto").stdout.String(), "By this command's own scan: it was not asked\n")
	// Who is not root sees what runs of his own, and nothing of others: neither root's, nor
	// another user's, nor the daemon, which runs as him but is not dumpable.
	mine := stay(t, false, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", "read x")
	theirs := stay(t, false, "setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "sh", "-c", "read x")
	eventually(t, "nobody's shell is seen", func() bool {
		p = runWith(t, asNobody(), "ps", "-o", "json", flag)
		var seen struct {
			Origin    string
			Processes []struct{ PID, UID int }
		}
		if err := json.Unmarshal([]byte(p.stdout.String()), &seen); p.wait(t) != 0 || err != nil || seen.Origin != "daemon" {
			t.Fatalf("%v: %s%s", err, &p.stdout, &p.stderr)
		}
		found := false
		for _, p := range seen.Processes {
			found = found || p.PID == mine.cmd.Process.Pid
			if p.PID == theirs.cmd.Process.Pid || p.PID == d.cmd.Process.Pid || p.UID != 65534 {
				t.Errorf("nobody sees %+v", p)
			}
		}
		return found
	})
	if p = runWith(t, asNobody(), "services", "--asset=x", flag); p.wait(t) != exitFailure {
		t.Errorf("nobody asks who is kept from an asset: %s%s", &p.stdout, &p.stderr)
	}
	for _, command := range []string{"services", "tree", "ps"} {
		p = runWith(t, asNobody(), command, flag)
		if p.wait(t) != 0 {
			t.Errorf("%s: %s", command, &p.stderr)
		}
		wants(t, p.stdout.String(), "Only processes that you may look at are seen", "By the daemon at "+socket+"\n")
	}
	// What happens is shown while it does.
	log := launch(t, nil, landlockd, "log", "-f", "-o", "jsonl", "--only=runs,domains", flag)
	eventually(t, "the log is followed", func() bool { return contains(log, `"event":"start"`) })
	stay(t, false, sandboxed(1, "sh", "-c", "read x")...)
	run(t, "--version")
	eventually(t, "a domain and an end are in the log", func() bool {
		return contains(log, `"event":"domain"`) && contains(log, `"event":"run"`)
	})
	wants(t, run(t, "log", flag, "--only=runs", "--last=1").stdout.String(), " ended unsandboxed")
	log.signal(t, syscall.SIGTERM)
	log.wait(t)
	d.stop(t) // and nothing of who followed is left in it
	wants(t, run(t, "services", flag).stdout.String(), "By this command's own scan: no landlockd serves there", "has ended\n")
}

func contains(p *process, text string) bool { return strings.Contains(p.stdout.String(), text) }
