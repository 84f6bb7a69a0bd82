// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// programs is where the programs of the test's services are. Each does nothing,
// and has a path of its own: rules and names are by path.
const programs = "/opt/t/"

// Containers as their runtimes name them: by ID, and a pod by its UID.
var (
	dockerID = strings.Repeat("d0c4", 16)
	webID    = strings.Repeat("3eb0", 16)
	podmanID = strings.Repeat("90d3", 16)
	imageID  = strings.Repeat("1a6e", 16)
	systemID = strings.Repeat("5e57", 16)
)

const podUID = "8d5c1a3e-52f1-4d0e-9d1b-6a1f0c2b7e44"

// launcher starts what follows in a sandbox.
const launcher = self + " launch "

// units are the services that the system manager starts: the text of their
// [Service] section by name.
var units = map[string]string{
	"t-plain.service":   "ExecStart=" + launcher + "-- " + programs + "plain infinity",
	"t-bare.service":    "ExecStart=" + programs + "bare infinity",
	"t-inst@a.service":  "ExecStart=" + launcher + "-- " + programs + "inst infinity",
	"t-inst@b.service":  "ExecStart=" + programs + "inst infinity",
	"t-slice.service":   "Slice=t-own.slice\nExecStart=" + launcher + "-- " + programs + "slice infinity",
	"t-shallow.service": "ExecStart=" + launcher + "-- " + programs + "shallow infinity",
	"t-deep.service":    "ExecStart=" + launcher + "depth=3 -- " + programs + "deep infinity",
	"t-weak.service":    "ExecStart=" + launcher + "weak -- " + programs + "weak infinity",
	"t-victim.service":  "ExecStart=" + launcher + "-- " + programs + "victim infinity",
	"t-guarded.service": "ExecStart=" + launcher + "-- " + programs + "guarded infinity",
	"t-partial.service": "Type=notify\nExecStart=" + self + " partial",
	"t-fork.service":    "ExecStart=" + self + " fork -- " + programs + "forked infinity",
	"t-hard.service": "ProtectSystem=strict\nPrivateTmp=yes\nProtectHome=yes\nPrivateDevices=yes\nProtectProc=invisible\n" +
		"ProtectKernelTunables=yes\nExecStart=" + launcher + "-- " + programs + "hardened infinity",
	// A mount namespace and a user namespace, made by the system manager.
	"t-private.service": "PrivateUsers=yes\nPrivateTmp=yes\nDynamicUser=yes\nExecStart=" + launcher + "-- " + programs + "hardened infinity",
	// One that makes cgroups of its own, and names them like somebody else's units.
	"t-deleg.service": "Delegate=yes\nEnvironment=CG=" + cgroups + "/system.slice/t-deleg.service\nExecStart=/bin/sh -c '" +
		self + " enter $CG/worker -- " + launcher + "-- " + programs + "deleg infinity & " +
		self + " enter $CG/system.slice/t-plain.service -- " + launcher + "-- " + programs + "deleg infinity & " +
		"exec " + self + " enter $CG/main -- " + launcher + "-- " + programs + "deleg infinity'",
	// A service that the rules exempt, though it runs as somebody of whom they expect something.
	"t-exempt.service": "User=mallory\nExecStart=" + programs + "exempt infinity",
}

// expected is a program of the test's services, and the cgroup that it has to be
// in, as filepath.Match takes it; a backslash in the name of a unit is "?".
type expected struct {
	exe, cgroup string
	n           int
}

const userSlice = "/user.slice/user-1000.slice/user@1000.service/"

// running are all that checkServices leaves behind.
var running = []expected{
	{programs + "plain", "/system.slice/t-plain.service", 1},
	{programs + "bare", "/system.slice/t-bare.service", 1},
	{programs + "inst", "/system.slice/system-t?x2dinst.slice/t-inst@[ab].service", 2},
	{programs + "slice", "/t.slice/t-own.slice/t-slice.service", 1},
	{programs + "shallow", "/system.slice/t-shallow.service", 1},
	{programs + "deep", "/system.slice/t-deep.service", 1},
	{programs + "weak", "/system.slice/t-weak.service", 1},
	{programs + "victim", "/system.slice/t-victim.service", 1},
	{programs + "guarded", "/system.slice/t-guarded.service", 1},
	{self, "/system.slice/t-partial.service", 1},
	{self, "/system.slice/t-fork.service", 1},
	{programs + "forked", "/system.slice/t-fork.service", 1},
	{programs + "hardened", "/system.slice/t-hard.service", 1},
	{programs + "hardened", "/system.slice/t-private.service", 1},
	{programs + "deleg", "/system.slice/t-deleg.service/worker", 1},
	{programs + "deleg", "/system.slice/t-deleg.service/main", 1},
	{programs + "deleg", "/system.slice/t-deleg.service/system.slice/t-plain.service", 1},
	{programs + "exempt", "/system.slice/t-exempt.service", 1},
	{programs + "transient", "/system.slice/run-r*.service", 2},
	{programs + "transient", "/system.slice/run-r*.scope", 1},
	{programs + "session", "/user.slice/user-1000.slice/session-*.scope", 1},
	{programs + "user", userSlice + "app.slice/t-user.service", 1},
	{programs + "app", userSlice + "app.slice/app-t-editor-4242.scope", 1},
	{programs + "app", userSlice + "app.slice/app-t-editor-4243.scope", 1},
	{programs + "docked", "/system.slice/docker-" + dockerID + ".scope", 1},
	{programs + "web", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod*.slice/cri-containerd-" + webID + ".scope", 1},
	{programs + "podded", "/machine.slice/libpod-" + podmanID + ".scope/container", 1},
	{"/usr/lib/systemd/systemd", "/init.scope", 1},
	{"/usr/lib/systemd/systemd", "/user.slice/user-*.slice/user@*.service/init.scope", 4}, // and (sd-pam)
}

// checkServices starts services of every kind and sees where systemd puts them.
// They keep running.
func (h *host) checkServices(t *T) {
	for _, name := range []string{
		"plain", "bare", "inst", "slice", "shallow", "deep", "weak", "victim", "guarded", "forked", "hardened", "deleg", "exempt",
		"transient", "session", "user", "app", "docked", "web", "podded", "trusted", "absent",
	} {
		t.Must(copyFile("/bin/sleep", programs+name))
	}
	must(t, "loginctl", "enable-linger", "alice", "mallory")
	names := make([]string, 0, len(units))
	for name, text := range units {
		write(t, "/run/systemd/system/"+name, "[Service]\nType=exec\n"+text+"\n")
		names = append(names, name)
	}
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", append([]string{"start"}, names...)...)

	must(t, "systemd-run", "--quiet", programs+"transient", "infinity")
	must(t, "systemd-run", "--quiet", self, "launch", "--", programs+"transient", "infinity")
	background(t, exec.Command("systemd-run", "--quiet", "--scope", programs+"transient", "infinity"))

	for _, uid := range []int{alice, mallory} {
		eventually(t, fmt.Sprintf("the manager of user %d runs", uid), func() error {
			_, err := os.Stat(fmt.Sprintf("/run/user/%d/systemd/private", uid))
			return err
		})
	}
	background(t, exec.Command("su", "-l", "alice", "-c", "exec "+launcher+"-- "+programs+"session infinity"))
	mustAs(t, alice, "systemd-run", "--user", "--quiet", "--unit=t-user.service", self, "launch", "--", programs+"user", "infinity")
	for _, n := range []string{"4242", "4243"} {
		background(t, as(alice, "systemd-run", "--user", "--quiet", "--scope", "--slice=app.slice", "--unit=app-t-editor-"+n+".scope", programs+"app", "infinity"))
	}
	startContainers(t)

	settle(t, running)
}

// startContainers starts what looks like containers: root, a mount namespace of
// its own, a cgroup named as runtimes do.
func startContainers(t *T) {
	pods := "kubepods-burstable-pod" + strings.ReplaceAll(podUID, "-", "_") + ".slice"
	container(t, "system.slice", "docker-"+dockerID+".scope", self, "launch", "--", programs+"docked", "infinity")
	container(t, pods, "cri-containerd-"+webID+".scope", self, "launch", "--", programs+"web", "infinity")
	container(t, "machine.slice", "libpod-"+podmanID+".scope", self, "enter",
		cgroups+"/machine.slice/libpod-"+podmanID+".scope/container", "--", programs+"podded", "infinity")
	writePodLog(t)
}

// writePodLog writes what the kubelet leaves for programs that collect logs.
func writePodLog(t *T) {
	log := "/var/log/pods/prod_shop-7c5d8_" + podUID + "/web/0.log"
	write(t, log, "")
	t.Must(os.MkdirAll("/var/log/containers", 0o755))
	t.Must(os.Symlink(log, "/var/log/containers/shop-7c5d8_prod_web-"+webID+".log"))
}

// container starts a program in a scope and in a mount namespace of its own.
func container(t *T, slice, scope string, args ...string) {
	background(t, exec.Command("systemd-run", append([]string{
		"--quiet", "--scope", "--slice=" + slice, "--unit=" + scope, "--property=Delegate=yes", "--", "unshare", "--mount",
	}, args...)...))
}

// background starts a program that stays.
func background(t *T, cmd *exec.Cmd) {
	t.Must(cmd.Start())
	go func() { _ = cmd.Wait() }()
}

// settle waits until all is there as expected.
func settle(t *T, want []expected) {
	var last []process
	defer func() {
		for _, p := range last {
			t.Logf("%d %d %s %s %s", p.pid, p.uid, p.comm, p.exe, p.cgroup)
		}
	}()
	eventually(t, "every service runs where it should", func() error {
		last = processes(t)
		return compare(last, want)
	})
}

// compare says what is not there as expected. Programs of the test and managers
// that nothing is expected of must not be there at all.
func compare(all []process, want []expected) error {
	seen := make([]int, len(want))
	for _, p := range all {
		if !ours(p.exe) || p.cgroup == "/system.slice/checks.service" {
			continue
		}
		i := slices.IndexFunc(want, func(e expected) bool {
			ok, err := filepath.Match(e.cgroup, p.cgroup)
			return ok && err == nil && e.exe == p.exe
		})
		if i < 0 {
			return fmt.Errorf("%s (%s, %d) is in %s", p.exe, p.comm, p.pid, p.cgroup)
		}
		seen[i]++
	}
	for i, e := range want {
		if seen[i] != e.n {
			return fmt.Errorf("%d of %d processes execute %s in %s", seen[i], e.n, e.exe, e.cgroup)
		}
	}
	return nil
}

// ours reports whether a program is one that the test knows the processes of.
func ours(exe string) bool {
	return strings.HasPrefix(exe, programs) || exe == self || exe == own || exe == "/usr/lib/systemd/systemd"
}

// copyFile makes an executable copy.
func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
