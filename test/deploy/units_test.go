// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecurity: what systemd thinks of the units is 2.0 or better, and not without
// a reason: a unit without the settings is worse.
func TestSecurity(t *testing.T) {
	dir := filepath.Join(top(t), "deploy/systemd")
	for _, unit := range []string{"landlockd.service", "landlockd-textfile.service"} {
		out := run(t, "systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", filepath.Join(dir, unit))
		t.Log(lastLine(out))
	}
	bare := filepath.Join(t.TempDir(), "landlockd.service")
	write(t, bare, "[Service]\nExecStart=/usr/bin/landlockd\n")
	if out, err := try(t.Context(), "systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", bare); err == nil {
		t.Errorf("a unit without any setting passes: %s", lastLine(out))
	}
	// With the drop-ins, too.
	for _, name := range []string{"assets", "audit", "procattr"} {
		root := t.TempDir()
		write(t, filepath.Join(root, "landlockd.service"), read(t, filepath.Join(dir, "landlockd.service")))
		write(t, filepath.Join(root, "landlockd.service.d", name+".conf"), read(t, filepath.Join(dir, "dropins", name+".conf")))
		out, err := tryIn(t.Context(), "", []string{"SYSTEMD_UNIT_PATH=" + root + ":"}, "systemd-analyze", "security", "--offline=yes", "--threshold=23", "--no-pager", filepath.Join(root, "landlockd.service"))
		if err != nil {
			t.Error(err)
		}
		t.Log(name+":", lastLine(out))
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// TestVerify: systemd knows all that is in the units, and warns of nothing.
func TestVerify(t *testing.T) {
	r, dir := get(t, second), t.TempDir()
	run(t, "dpkg-deb", "--extract", r.deb(t), dir)
	units, err := filepath.Glob(filepath.Join(dir, "usr/lib/systemd/system/landlockd*"))
	if err != nil || len(units) != 4 {
		t.Fatalf("units %q, %v", units, err)
	}
	for _, file := range []string{"/usr/lib/systemd/system", "/usr/lib/systemd/user"} {
		if err := os.MkdirAll(filepath.Join(dir, file), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, drop := range []string{"assets", "audit", "procattr"} {
		write(t, filepath.Join(dir, "etc/systemd/system/landlockd.service.d", drop+".conf"), read(t, filepath.Join(dir, "usr/share/landlockd/dropins", drop+".conf")))
	}
	out, err := inOverlay(t.Context(), t.TempDir(), `cp -a "$1/." "$root/"
		for fs in proc sys; do mount --rbind /$fs "$root/$fs"; done
		chroot "$root" systemd-analyze verify --man=no --recursive-errors=one landlockd.service landlockd.socket landlockd-textfile.service landlockd-textfile.timer 2>&1
		chroot "$root" systemd-sysusers --dry-run landlockd.conf 2>&1
		chroot "$root" systemd-tmpfiles --cat-config landlockd.conf >/dev/null`, dir)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "Creating ") && !strings.HasPrefix(line, "Would ") {
			t.Errorf("%s", line)
		}
	}
}
