// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/attack"
	"github.com/landlockd/landlockd/test/testenv"
)

const nobody = 65534

// TestForgedExecutables: whatever a user without privilege does to be seen at a path,
// that path is known to be his word.
func TestForgedExecutables(t *testing.T) {
	program, err := attack.Forger(testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	target, err := filepath.EvalSymlinks("/usr/bin/env")
	if err != nil {
		t.Fatal(err)
	}
	s := openSource(t, Options{})
	for _, trick := range attack.Forgeries() {
		t.Run(trick, func(t *testing.T) {
			dir := testenv.PublicDir(t)
			if err := os.Chown(dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
			a := startAs(t, nobody, program, trick, target, dir)
			p := mustFind(t, mustScan(t, s), a.pids[0])
			// Nothing is proven if the path is not the one that was to be forged.
			if p.Exe != target || p.ExeOrigin != scan.OfUser {
				t.Errorf("path %q of %v", p.Exe, p.ExeOrigin)
			}
		})
	}
}

// startScript starts an actor by a script of a shell, whose last command it is to be.
func startScript(t *testing.T, script string, args ...string) *actor {
	t.Helper()
	return startCommand(t, exec.Command("sh", append([]string{"-euc", script, "sh"}, args...)...))
}

// TestExecutableOrigins: what is done to a process, or by root, neither makes the
// host's files another's, nor others the host's.
func TestExecutableOrigins(t *testing.T) {
	host := actorPath(t)
	dir := testenv.PublicDir(t)
	s := openSource(t, Options{})
	for _, c := range []struct {
		name, script string
		path         string // below dir if it does not begin with a slash
		origin       scan.Origin
	}{
		{"plain", `exec "$1" many 0 0`, host, scan.OfHost},
		{"of a user", `exec setpriv --reuid=65534 --clear-groups "$1" many 0 0`, host, scan.OfHost},
		{"begun in a user namespace", `exec unshare --user "$1" many 0 0`, host, scan.OfUser},
		{"with file systems of its own",
			`exec unshare --mount sh -euc 'mount --bind /usr /usr; mount -t tmpfs none /mnt
			exec "$1" many 0 0' sh "$1"`, host, scan.OfHost},
		{"behind a mount of its directory on itself",
			`exec unshare --mount sh -euc 'mount --bind "${1%/*}" "${1%/*}"; exec "$1" many 0 0' sh "$1"`,
			host, scan.OfHost},
		{"with another file in its place, for it alone",
			`touch "$2"/place; exec unshare --mount sh -euc '
			mount --bind "$1" "$2"/place; exec "$2"/place many 0 0' sh "$1" "$2"`,
			"place", scan.OfImage},
		{"with another root directory",
			`mkdir -p "$2"/jail/in; cp "$1" "$2"/jail/in/actor
			exec chroot "$2"/jail /in/actor many 0 0`, "jail/in/actor", scan.OfHost},
		{"with another file system as its root",
			`mkdir "$2"/new; exec unshare --mount sh -euc '
			mount -t tmpfs none "$2"/new; cd "$2"/new; mkdir bin old; cp "$1" bin/actor
			pivot_root . old; exec ./bin/actor many 0 0' sh "$1" "$2"`,
			"/bin/actor", scan.OfImage},
		{"with a part of the host's as its root",
			`mkdir "$2"/part; cp "$1" "$2"/part; exec unshare --mount sh -euc '
			mount --bind "$2"/part "$2"/part; cd "$2"/part; mkdir old; pivot_root . old
			exec ./actor many 0 0' sh "$1" "$2"`, "/actor", scan.OfImage},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := startScript(t, c.script, host, dir)
			want := c.path
			if !strings.HasPrefix(want, "/") {
				want = filepath.Join(dir, want)
			}
			p := mustFind(t, mustScan(t, s), a.pid)
			if p.Exe != want || p.ExeOrigin != c.origin {
				t.Errorf("path %q of %v, want %q of %v", p.Exe, p.ExeOrigin, want, c.origin)
			}
		})
	}
}

// TestExecutableStays: a process that makes namespaces of its own runs what it ran.
func TestExecutableStays(t *testing.T) {
	host := actorPath(t)
	s := openSource(t, Options{})
	cmd := exec.Command(host, "many", "0", "0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	a := startCommand(t, cmd)
	if p := mustFind(t, mustScan(t, s), a.pid); p.ExeOrigin != scan.OfHost {
		t.Errorf("begun in a mount namespace of root's: of %v", p.ExeOrigin)
	}
	b := startActorAs(t, nobody, "rooted", "unshare-user")
	p := mustFind(t, mustScan(t, s), b.pid)
	if p.UserNS == scan.InitUserNS || p.MountNSOwner == scan.InitUserNS {
		t.Fatalf("it has not changed its namespaces: %d, %d", p.UserNS, p.MountNSOwner)
	}
	if p.Exe != host || p.ExeOrigin != scan.OfHost {
		t.Errorf("path %q of %v", p.Exe, p.ExeOrigin)
	}
}

// TestDeadLeader: a process whose first thread has ended is where its others are, in
// every hierarchy.
func TestDeadLeader(t *testing.T) {
	s := openSource(t, Options{})
	a := startActor(t, "zombie-leader", "0")
	p := mustFind(t, mustScan(t, s), a.pid)
	b := mustFind(t, mustScan(t, s), int32(os.Getpid()))
	if p.CgroupID != b.CgroupID || p.CgroupV1ID != b.CgroupV1ID || p.CgroupID == 0 {
		t.Errorf("cgroups %d and %d, want %d and %d", p.CgroupID, p.CgroupV1ID, b.CgroupID, b.CgroupV1ID)
	}
	if _, err := os.Stat("/sys/fs/cgroup/systemd"); !errors.Is(err, os.ErrNotExist) && p.CgroupV1ID == 0 {
		t.Error("no cgroup in the v1 hierarchy")
	}
	if p.Exe != actorPath(t) || p.ExeOrigin != scan.OfHost || p.MountNSOwner != scan.InitUserNS {
		t.Errorf("path %q of %v, owner %d", p.Exe, p.ExeOrigin, p.MountNSOwner)
	}
}
