// SPDX-License-Identifier: Apache-2.0

package run

// Scenario is one boot of a guest: what is installed in it, and the checks that
// run in it, in this order (../guest/registry.go).
type Scenario struct {
	Name string
	// Packages are Debian's, beside those of every guest (../image).
	Packages []string
	// Payload is what the guest finds in /payload beside its own program.
	Payload []Payload
	Checks  []string
}

// Scenarios returns all of them.
func Scenarios() []Scenario {
	return []Scenario{
		{
			Name:    "workloads",
			Payload: []Payload{Daemon},
			Checks:  []string{"services", "names", "rules", "violation", "check", "reload", "forgery"},
		},
		{Name: "units", Payload: []Payload{Daemon}, Checks: []string{"units", "verdicts"}},
		{
			// kill(1), by which systemd reloads landlockd, is in procps.
			Name: "package", Packages: []string{"procps"}, Payload: []Payload{Deb}, Checks: []string{"package"},
		},
		{
			Name:     "alert",
			Packages: []string{"procps", "prometheus", "prometheus-alertmanager", "prometheus-node-exporter"},
			Payload:  []Payload{Deb, Rendered},
			Checks:   []string{"monitoring", "alert", "textfile"},
		},
	}
}
