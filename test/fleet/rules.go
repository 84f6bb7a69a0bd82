// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/policy"
)

// grace is every rule's: the age up to which a process cannot violate it.
const grace = 30 * time.Second

// Rule is what the fleet's configuration expects of one workload.
type Rule struct {
	Name, Workload, Severity string
	// MinDepth is the least depth; 0 asks for none.
	MinDepth int
	// Right must be restricted; empty asks for none. Kernels have it from ABI
	// Since on; older ones violate the rule if Strict, and are not asked else.
	Right  string
	Since  int
	Strict bool
	// MinProcesses is how many processes there must be.
	MinProcesses int
	// Waived is a unit, of which none runs, that need not be as expected before WaivedUntil.
	Waived string
}

// WaivedUntil is when waivers end.
func WaivedUntil() time.Time { return time.Date(2199, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Rules are those of every host's configuration.
func Rules() []Rule {
	return []Rule{
		{Name: "resolver", Workload: "systemd-resolved.service", Severity: "critical"},
		{Name: "time", Workload: "systemd-timesyncd.service", Severity: "warning", MinDepth: 2},
		{Name: "web", Workload: "nginx.service", Severity: "critical", Right: "net.connect_tcp", Since: 4, Waived: "nginx-legacy.service"},
		{Name: "checkout", Workload: "shop/checkout", Severity: "warning", Right: "scope.signal", Since: 6, Strict: true},
		{Name: "exporter", Workload: "prometheus-node-exporter.service", Severity: "info", MinProcesses: 1},
	}
}

// text is the rule as people write it.
func (r Rule) text() string {
	match := fmt.Sprintf("unit: [%s]", r.Workload)
	if namespace, container, ok := strings.Cut(r.Workload, "/"); ok {
		match = fmt.Sprintf("namespace: [%s], container: [%s]", namespace, container)
	}
	expect := []string{}
	if r.MinDepth > 0 {
		expect = append(expect, fmt.Sprintf("min_depth: %d", r.MinDepth))
	}
	if r.Right != "" {
		expect = append(expect, fmt.Sprintf("restricts: [%s]", r.Right))
	}
	if r.Strict {
		expect = append(expect, "on_old_kernel: violation")
	}
	text := fmt.Sprintf("  - name: %s\n    match: {%s}\n    severity: %s\n", r.Name, match, r.Severity)
	if len(expect) > 0 {
		text += fmt.Sprintf("    expect: {%s}\n", strings.Join(expect, ", "))
	}
	if r.Waived != "" {
		text += fmt.Sprintf("    except:\n      - {unit: [%s], accept: {until: %s, reason: is replaced}}\n",
			r.Waived, WaivedUntil().Format(time.DateOnly))
	}
	if r.MinProcesses > 0 {
		text += fmt.Sprintf("    min_processes: %d\n", r.MinProcesses)
	}
	return text
}

// loadRules writes the configuration of all hosts to a file and loads that, as
// landlockd does.
func loadRules() (*policy.Config, error) {
	dir, err := os.MkdirTemp("", "fleet")
	if err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	text := fmt.Sprintf("defaults: {grace: %s}\nrules:\n", grace)
	for _, r := range Rules() {
		text += r.text()
	}
	file := filepath.Join(dir, "landlockd.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("fleet: %w", err)
	}
	c, err := policy.Load(file)
	if err == nil && len(c.Warnings) > 0 {
		err = errors.New(c.Warnings[0].String())
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: rules: %w", err)
	}
	return c, nil
}
