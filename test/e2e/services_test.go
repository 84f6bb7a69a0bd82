// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
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
	wants(t, run(t, "--source=auto", "services").stdout.String(), "By this command's own scan: it was not asked\n")
	// Who is not root gets neither, and learns of both.
	p = runWith(t, asNobody(), "services", flag)
	if p.wait(t) != exitFailure || !strings.Contains(p.stderr.String(), "this is for root alone") {
		t.Errorf("%s", &p.stderr)
	}
	d.stop(t)
	wants(t, run(t, "services", flag).stdout.String(), "By this command's own scan: no landlockd serves there", "has ended\n")
}
