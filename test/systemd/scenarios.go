// SPDX-License-Identifier: Apache-2.0

package systemd

// Scenario is one boot of a guest: what is installed in it, and the checks that
// run in it, in this order (guest/registry.go).
type Scenario struct {
	Name string
	// Release is Debian's codename; empty is the machine's own.
	Release string
	// Packages are Debian's, beside those of every guest (image).
	Packages []string
	// Size is that of the image, in bytes; 0 is what most have.
	Size int64
	// payload is what the guest finds in /payload beside its own program.
	payload []payload
	Checks  []string
	// Apart: it is run only where its name is asked for (make test-afternoon, make
	// test-known).
	Apart bool
}

// monitored are the packages of scenarios with servers that watch the guest. One list,
// so that they share an image.
var monitored = []string{"make", "procps", "prometheus", "prometheus-alertmanager", "prometheus-node-exporter"}

// Scenarios returns all of them, the longest first: the others run beside them.
func Scenarios() []Scenario {
	return []Scenario{
		{
			Name:     "alert",
			Packages: monitored,
			payload:  []payload{deb, rendered},
			Checks:   []string{"monitoring", "alert", "textfile"},
		},
		{
			Name:     "runs",
			Packages: monitored,
			payload:  []payload{deb, rendered},
			Checks:   []string{"monitoring", "runs", "ordinary"},
		},
		{
			Name:    "workloads",
			payload: []payload{daemon},
			Checks:  []string{"services", "names", "rules", "violation", "check", "reload", "forgery"},
		},
		{Name: "units", payload: []payload{daemon}, Checks: []string{"units", "verdicts"}},
		{
			// kill(1), by which systemd reloads landlockd, is in procps.
			Name: "package", Packages: []string{"procps"}, payload: []payload{deb}, Checks: []string{"package"},
		},
		{
			Name:     "afternoon",
			Packages: append([]string{"git"}, monitored...),
			payload:  []payload{deb, adopt},
			Checks:   []string{"afternoon:limit=30m", "dashboard:limit=15m"},
			Apart:    true,
		},
		{
			// The first release that has all of these as they sandbox themselves.
			Name: "known", Release: "trixie",
			// Programs, and what they or the checks start: zathura opens its window on a display
			// of libgtk-3-bin.
			Packages: []string{
				"suricata", "sslh", "zathura", "tracker-extract", "libgtk-3-bin", "dbus-daemon", "strace",
			},
			Size:    3 << 30,
			payload: []payload{deb, codex},
			Checks:  []string{"known:limit=60m"},
			Apart:   true,
		},
	}
}
