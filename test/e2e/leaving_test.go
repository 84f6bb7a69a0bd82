// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

// TestLeavingAUnit: a service that may make cgroups below its own stays under the rules
// about its unit, and under no other's, however it calls them.
func TestLeavingAUnit(t *testing.T) {
	tree := newCgroupTree(t)
	id := strings.Repeat("0123456789abcdef", 4)
	config := write(t, filepath.Join(testenv.PublicDir(t), "rules.yml"), `rules:
- {name: unit, match: {unit: [svc.service]}, grace: 0s}
- {name: program, match: {unit: [svc.service], exe: ["**"]}, grace: 0s}
- {name: other-unit, match: {unit: [other.service]}, grace: 0s}
- {name: container, match: {container: [x]}, grace: 0s}
- {name: any-container, match: {container: ["*"]}, grace: 0s}
`, 0o644)
	p := stay(t, false, testenv.NeedTool(t, "cat"))
	for _, below := range []string{
		"", "sub", "lxc.payload.x", "lxc/x", "lxc.payload/x", `machine-lxc\x2dx.scope`, "payload", "buildkit/x",
		"docker-" + id + ".scope", "libpod-payload-" + id, "docker/" + id, "other.service", "system.slice/other.service",
		"kubepods.slice/kubepods-pod12345678_1234_1234_1234_123456789abc.slice/cri-containerd-" + id + ".scope",
		"kubepods/pod12345678-1234-1234-1234-123456789abc/" + id,
	} {
		tree.put("svc.service/"+below, p)
		out := checks(t, exitFailure, "check", "--config.file="+config).stdout.String()
		if !regexp.MustCompile(`(?m)^unit +unsandboxed .*\nprogram +unsandboxed `).MatchString(out) ||
			!strings.Contains(out, "2 of 5 rules violated, 3 about no process here.") {
			t.Errorf("below %q:\n%s", below, out)
		}
	}
}

// TestDeadLeaderStays: a process whose first thread has ended is in its unit still.
func TestDeadLeaderStays(t *testing.T) {
	tree := newCgroupTree(t)
	program, err := attack.Forger(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	tree.put("svc.service", stay(t, false, testenv.NeedTool(t, "cat")))
	procs := filepath.Join(tree.root, "svc.service", "cgroup.procs")
	p := stay(t, false, "sh", "-c", `echo $$ >"$1" && exec "$2" leader - -`, "sh", procs, program)
	eventually(t, "its first thread has ended", func() bool { return strings.HasSuffix(p.stdout.String(), "ready\n") })
	config := write(t, filepath.Join(testenv.PublicDir(t), "rules.yml"),
		"rules: [{name: unit, match: {unit: [svc.service]}, grace: 0s}]", 0o644)
	out := checks(t, exitFailure, "check", "--config.file="+config, "-o", "json").stdout.String()
	if !strings.Contains(out, `"violating": 2`) {
		t.Error(out)
	}
}
