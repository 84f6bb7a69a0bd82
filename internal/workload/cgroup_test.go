// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/landlockd/landlockd/scan"
)

var (
	id  = strings.Repeat("0123456789abcdef", 4)
	id2 = strings.Repeat("fedcba9876543210", 4)
	pod = "0d4e3ffb-7b3c-4a9f-8a53-9a2d1f0c7e11"
	// podInSlice is the form in names of slices.
	podInSlice = strings.ReplaceAll(pod, "-", "_")
)

var known, _ = NewRuntimeUnits()

func parse(path string) Facts { return Parse(path, known) }

func TestParseUnits(t *testing.T) {
	for _, c := range []struct {
		path, unit, name, slice string
		kind                    scan.WorkloadKind
		delegated               bool
	}{
		{"/", "", "", "", scan.Executable, false},
		{"", "", "", "", scan.Executable, false},
		{"/init.scope", "init.scope", "init.scope", "", scan.Unit, false},
		{"/system.slice/ssh.service", "ssh.service", "ssh.service", "system.slice", scan.Unit, false},
		{"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "getty@.service", "system-getty.slice", scan.Unit, false},
		{"/a.slice/a-b.slice/a-b-c.slice/x.service", "x.service", "x.service", "a-b-c.slice", scan.Unit, false},
		{"/system.slice/foo.service/worker", "foo.service", "foo.service", "system.slice", scan.Unit, true},
		{"/system.slice/foo.service/sshd.service", "foo.service", "foo.service", "system.slice", scan.Unit, true},
		{"/system.slice/foo.service/x.slice/sshd.service", "foo.service", "foo.service", "system.slice", scan.Unit, true},
		{"/system.slice/_cpu.service", "cpu.service", "cpu.service", "system.slice", scan.Unit, false},
		{"/system.slice/__x.service", "_x.service", "_x.service", "system.slice", scan.Unit, false},
		{"/system.slice/var-lib.mount", "var-lib.mount", "var-lib.mount", "system.slice", scan.Unit, false},
		{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "session.scope", "user-1000.slice", scan.Unit, false},
		{"/user.slice/user-1000.slice/session-c2.scope", "session-c2.scope", "session.scope", "user-1000.slice", scan.Unit, false},
		{"/user.slice/user-1000.slice/user@1000.service", "user@1000.service", "user@.service", "user-1000.slice", scan.Unit, false},
		{"/user.slice/user-1000.slice/user@1000.service/x", "user@1000.service", "user@.service", "user-1000.slice", scan.Unit, true},
		{"/user.slice/user-1000.slice/user@1000.service/x/sshd.service", "user@1000.service", "user@.service", "user-1000.slice", scan.Unit, true},
		{"/user.slice/user-1000.slice/user@1000.service/init.scope", "user@1000/init.scope", "user@/init.scope", "user-1000.slice", scan.UserUnit, false},
		{"/user.slice/user-1000.slice/user@1000.service/ssh.service", "user@1000/ssh.service", "user@/ssh.service", "user-1000.slice", scan.UserUnit, false},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-1234.scope", "user@1000/app-gnome-firefox-1234.scope", "user@/app-gnome-firefox.scope", "user-1000.slice", scan.UserUnit, false},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/a.service/ssh.service", "user@1000/a.service", "user@/a.service", "user-1000.slice", scan.UserUnit, true},
		{"/user.slice/user-1000.slice/user@1000.service/system.slice/ssh.service", "user@1000/ssh.service", "user@/ssh.service", "user-1000.slice", scan.UserUnit, false},
		{"/user.slice/user-1000.slice/user@root.service/ssh.service", "user@root.service", "user@.service", "user-1000.slice", scan.Unit, true},
		{"/mine/ssh.service", "", "", "", scan.Executable, false},
		{"/mine/system.slice/ssh.service", "", "", "", scan.Executable, false},
		{"/system.slice/mine/ssh.service", "", "", "system.slice", scan.Executable, false},
		{"/system.slice", "", "", "system.slice", scan.Executable, false},
		{"/ssh.service", "ssh.service", "ssh.service", "", scan.Unit, false},
		{"/system.slice/getty@.service", "", "", "system.slice", scan.Executable, false},
		{"/system.slice/.service", "", "", "system.slice", scan.Executable, false},
		{"/system.slice/s sh.service", "", "", "system.slice", scan.Executable, false},
		{"/system.slice/ssh.target", "", "", "system.slice", scan.Executable, false},
		{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", "machine-qemu\\x2d1\\x2dvm.scope", "machine-qemu.scope", "machine.slice", scan.Unit, true},
		{"/machine.slice/systemd-nspawn@c1.service/supervisor", "systemd-nspawn@c1.service", "systemd-nspawn@.service", "machine.slice", scan.Unit, true},
		{"/machine.slice/libpod-conmon-" + id + ".scope", "libpod-conmon-" + id + ".scope", "libpod-conmon.scope", "machine.slice", scan.Unit, false},
		{"/kubepods.slice/kubepods-pod" + podInSlice + ".slice/crio-conmon-" + id + ".scope", "crio-conmon-" + id + ".scope", "crio-conmon.scope", "kubepods-pod" + podInSlice + ".slice", scan.Unit, false},
		{"/system.slice/foo.service/runtime", "foo.service", "foo.service", "system.slice", scan.Unit, true},
		{"/lxc.monitor.c1", "", "", "", scan.Executable, false},
		{"/libpod_parent/conmon", "", "", "", scan.Executable, false},
	} {
		f := parse(c.path)
		if f.Unit != c.unit || f.Name != c.name || f.Slice != c.slice || f.Kind != c.kind || f.Delegated != c.delegated || f.Container != nil {
			t.Errorf("%s: %+v", c.path, f)
		}
		if f.FullName != "" && f.FullName != f.Unit {
			t.Errorf("%s: full name %q of unit %q", c.path, f.FullName, f.Unit)
		}
	}
}

func TestParseContainers(t *testing.T) {
	type want = scan.Container
	docker := want{ID: id, Runtime: "docker"}
	inPod := func(runtime string) want { return want{ID: id, Runtime: runtime, PodUID: pod} }
	slices := "kubepods.slice/kubepods-pod" + podInSlice + ".slice"
	cri := "/cri-containerd-" + id + ".scope"
	machineSlice := "/machine.slice/machine-libpod_pod_" + id2 + ".slice"
	inner := "/kubelet.slice/kubelet-kubepods-pod" + podInSlice + ".slice"
	build := "8u0d3h1p9x7k2m4n6q5r8t0v2"
	for _, c := range []struct {
		path    string
		want    want
		machine string
	}{
		{"/docker/" + id, docker, ""},
		{"/docker/" + id + "/system.slice/ssh.service", docker, ""},
		{"/docker/" + id + "/docker/" + id2, docker, ""},
		{"/system.slice/docker-" + id + ".scope", docker, ""},
		{"/system.slice/docker-" + id + ".scope" + inner + cri, docker, ""},
		{"/kubepods/burstable/pod" + pod + "/" + id, inPod(""), ""},
		{"/kubepods/pod" + pod + "/" + id, inPod(""), ""},
		{"/kubepods/pod" + id[:32] + "/" + id, want{ID: id, PodUID: id[:32]}, ""},
		{"/kubepods/besteffort/pod" + pod + "/crio-" + id, inPod("cri-o"), ""},
		{"/kubepods/besteffort/pod" + pod + "/kata_" + id, inPod("kata"), ""},
		{"/kata_overhead/" + id, want{ID: id, Runtime: "kata"}, ""},
		{"/" + slices + cri, inPod("containerd"), ""},
		{"/" + slices + "/crio-" + id + ".scope/container", inPod("cri-o"), ""},
		{"/" + slices + "/docker-" + id + ".scope", inPod("docker"), ""},
		{"/" + slices + "/" + id, inPod(""), ""},
		{"/" + slices + "/kata_overhead", want{PodUID: pod}, ""},
		{inner + cri, inPod("containerd"), ""},
		{"/system.slice/containerd.service/kubepods-pod" + podInSlice + ".slice:cri-containerd:" + id,
			inPod("containerd"), ""},
		{"/system.slice/k3s.service/" + slices + cri, inPod("containerd"), ""},
		{"/system.slice/k3s-agent.service/kubepods/burstable/pod" + pod + "/" + id, inPod(""), ""},
		{"/system.slice/rke2-server.service/" + slices + cri + "/init.scope", inPod("containerd"), ""},
		{"/runtime.slice/kubelet.service/" + slices + "/kata_overhead", want{PodUID: pod}, ""},
		{"/machine.slice/libpod-" + id + ".scope/container", want{ID: id, Runtime: "podman"}, ""},
		{machineSlice + "/libpod-" + id + ".scope", want{ID: id, Runtime: "podman"}, ""},
		{"/libpod_parent/libpod-" + id, want{ID: id, Runtime: "podman"}, ""},
		{"/default/" + id, want{ID: id}, ""},
		{"/system.slice/nerdctl-" + id + ".scope", want{ID: id, Runtime: "containerd"}, ""},
		{"/lxc.payload.c1/system.slice/ssh.service", want{Runtime: "lxc"}, "c1"},
		{"/lxc.payload/c1/init.scope", want{Runtime: "lxc"}, "c1"},
		{"/lxc/101/ns", want{Runtime: "lxc"}, "101"},
		{"/machine.slice/machine-lxc\\x2d12\\x2dmy\\x2dbox.scope", want{Runtime: "libvirt-lxc"}, "my-box"},
		{"/machine.slice/machine-lxc\\x2d12.scope/libvirt", want{Runtime: "libvirt-lxc"}, "12"},
		{"/machine/lxc-12-box.libvirt-lxc", want{Runtime: "libvirt-lxc"}, "box"},
		{"/machine/a.partition/lxc-12-box.libvirt-lxc", want{Runtime: "libvirt-lxc"}, "box"},
		{"/machine.slice/box.libvirt-lxc", want{Runtime: "libvirt-lxc"}, "box"},
		{"/docker/buildkit/" + build, want{Runtime: "buildkit", ID: build}, ""},
		{"/buildkit/" + build, want{Runtime: "buildkit", ID: build}, ""},
		{"/system.slice/docker-" + build + ".scope", want{Runtime: "buildkit", ID: build}, ""},
		{"/nomad/" + pod + ".web", want{Runtime: "nomad", ID: pod}, "web"},
		{"/nomad/" + pod, want{Runtime: "nomad", ID: pod}, ""},
		{"/mesos/" + pod, want{Runtime: "mesos", ID: pod}, ""},
		{"/mesos/" + pod + "/mesos/" + pod, want{Runtime: "mesos", ID: pod}, ""},
	} {
		f := parse(c.path)
		switch {
		case f.Kind != scan.InContainer || f.Container == nil:
			t.Errorf("%s: no container: %+v", c.path, f)
		case *f.Container != c.want || f.Machine != c.machine || f.Unit != "" || f.Delegated ||
			f.Name != "" || f.FullName != "":
			t.Errorf("%s: %+v, %+v", c.path, f, *f.Container)
		}
	}
}

// Whoever a unit runs can make any cgroup below the unit's own, and can neither leave
// the unit by it nor be taken for what else is called so.
func TestNobodyLeavesTheUnit(t *testing.T) {
	podSlices := "kubepods.slice/kubepods-pod" + podInSlice + ".slice"
	user := "/user.slice/user-7.slice/"
	for _, below := range []string{
		"lxc.payload.x", "lxc/x", "lxc.payload/x", `machine-lxc\x2dx.scope`,
		"payload", "payload/init.scope", "runtime", id, "kata_" + id,
		"docker/" + id, "docker-" + id + ".scope", "libpod-payload-" + id,
		"kubepods/pod" + pod + "/" + id, podSlices + "/cri-containerd-" + id + ".scope", podSlices,
		podSlices + "/kata_overhead", "kubepods-pod" + podInSlice + ".slice:cri-containerd:" + id,
		"buildkit/x", "mesos/" + pod, "machine/lxc-1-x.libvirt-lxc",
		"libpod-conmon-" + id + ".scope", "sshd.service", "containerd.service/docker/" + id,
		"k3s.service/kubepods/pod" + pod + "/" + id,
		"system.slice/ssh.service", "user@7.service/x.service", "init.scope",
	} {
		for _, c := range []struct{ above, unit, name string }{
			{"/system.slice/", "evil.service", "evil.service"},
			{"/system.slice/", "docker.service.service", "docker.service.service"},
			{"/system.slice/", "k3s@1.service", "k3s@.service"},
			{"/machine.slice/", "systemd-nspawn@deb.service", "systemd-nspawn@.service"},
			{user, "session-3.scope", "session.scope"},
			{user + "user@7.service/app.slice/", "web.service", "user@/web.service"},
			{user + "user@7.service/app.slice/", "k3s.service", "user@/k3s.service"},
			{user + "user@7.service/user.slice/", "libpod-" + id + ".scope", "user@/libpod.scope"},
		} {
			kind, full := scan.Unit, c.unit
			if strings.HasPrefix(c.name, "user@/") {
				kind, full = scan.UserUnit, "user@7/"+c.unit
			}
			f := parse(c.above + c.unit + "/" + below)
			if f.Kind != kind || f.Unit != full || f.Name != c.name || f.FullName != full ||
				!f.Delegated || f.Container != nil || f.Machine != "" {
				t.Errorf("%s below %s%s: %+v", below, c.above, c.unit, f)
			}
		}
	}
}

// Below a unit that runs containers, what is no container is the unit's.
func TestRuntimeUnits(t *testing.T) {
	more, err := NewRuntimeUnits("my-runtime.service")
	if err != nil {
		t.Fatal(err)
	}
	conmon := "kubepods.slice/kubepods-pod" + podInSlice + ".slice/crio-conmon-" + id + ".scope"
	for _, c := range []struct {
		runtimes  RuntimeUnits
		path      string
		unit      string
		delegated bool
	}{
		{known, "/system.slice/k3s.service", "k3s.service", false},
		{known, "/system.slice/k3s.service/init", "k3s.service", true},
		{known, "/system.slice/k3s.service/lxc/x", "k3s.service", true},
		{known, "/system.slice/k3s.service/lxc.payload.x", "k3s.service", true},
		{known, "/system.slice/k3s.service/ssh.service", "k3s.service", true},
		{known, "/system.slice/crio.service/" + conmon, "crio.service", true},
		{known, "/system.slice/my-runtime.service/docker/" + id, "my-runtime.service", true},
		{more, "/system.slice/my-runtime.service/docker/" + id, "", false},
		{more, "/system.slice/k3s.service/docker/" + id, "", false},
		{RuntimeUnits{}, "/system.slice/k3s.service/docker/" + id, "k3s.service", true},
	} {
		f := Parse(c.path, c.runtimes)
		if f.Unit != c.unit || f.Delegated != c.delegated ||
			(f.Kind == scan.InContainer) != (c.unit == "") {
			t.Errorf("%s: %+v", c.path, f)
		}
	}
	for _, name := range []string{"", "k3s", "k3s*.service", "a/b.service", "user@7.service",
		"x.slice", "@.service"} {
		if _, err := NewRuntimeUnits(name); err == nil {
			t.Errorf("%q is taken for a unit", name)
		}
	}
}

// Users of pam_cgfs(8) can make any cgroup below the one that they were given.
func TestUsersOwnCgroups(t *testing.T) {
	for below, looksLikeOne := range map[string]bool{
		"": false, "/x": false, "/lxc/x": false, "/lxc.payload.x": false, "/mesos/" + pod: false,
		"/nomad/" + pod:       false,
		"/kubepods/pod" + pod: false, "/docker/" + id: true, "/buildkit/x": true,
		"/kubepods/pod" + pod + "/" + id: true,
	} {
		f := parse("/user/joe/0" + below)
		if f.Kind != scan.Executable || f.Container != nil || f.Machine != "" ||
			f.Delegated != looksLikeOne {
			t.Errorf("%q: %+v", below, f)
		}
	}
}

func TestFold(t *testing.T) {
	long := strings.Repeat("ab12", 8)
	for unit, want := range map[string]string{
		"ssh.service":                                 "ssh.service",
		"foo@x.service":                               "foo@.service",
		"foo@a@b.service":                             "foo@.service",
		"user@1000.service":                           "user@.service",
		"session-3.scope":                             "session.scope",
		"init.scope":                                  "init.scope",
		"run-u12.service":                             "run",
		"run-r" + long + ".scope":                     "run",
		"run-r" + long + ".service":                   "run",
		"run-1234.service":                            "run",
		"run-p12-i34.service":                         "run",
		"run-anything.scope":                          "run",
		"run-parts.service":                           "run-parts.service",
		"runner-12.service":                           "runner-*.service",
		"build-7.service":                             "build-*.service",
		"build_7.service":                             "build_*.service",
		"build.7.service":                             "build.*.service",
		"build-7-deploy-8.service":                    "build-*-deploy-*.service",
		"build-7-8-9.service":                         "build-*.service",
		"7.service":                                   "*.service",
		"deploy-3f2a9c1.service":                      "deploy-*.service",
		"deploy-abcdefa.service":                      "deploy-*.service",
		"facade.service":                              "facade.service",
		"php8.2-fpm.service":                          "php8.2-fpm.service",
		"mariadb-10.11.service":                       "mariadb-10.11.service",
		"ip6tables.service":                           "ip6tables.service",
		"job-a0270f.scope":                            "job.scope",
		"job-abcdef.scope":                            "job.scope",
		"job-7-step.scope":                            "job-*-step.scope",
		"job-3f.scope":                                "job.scope",
		"node1_slurmstepd.scope":                      "slurmstepd.scope",
		"spark-7ff0_slurmstepd.scope":                 "slurmstepd.scope",
		"slurmstepd.scope":                            "slurmstepd.scope",
		pod + ".web.scope":                            "*.web.scope",
		"docker-8u0d3h1p9x7k2m4n6q5r8t0v2.scope":      "docker.scope",
		"run-user-1000-gvfs.mount":                    "run-user-*-gvfs.mount",
		"app-gnome-firefox-1234.scope":                "app-gnome-firefox.scope",
		"app-gnome-org.gnome.Terminal-1234.scope":     "app-gnome-org.gnome.Terminal.scope",
		"app-org.kde.dolphin-" + long + ".scope":      "app-org.kde.dolphin.scope",
		"app-firefox-abcxyz.scope":                    "app-firefox.scope",
		"app-firefox.scope":                           "app-firefox.scope",
		"app-flatpak-org.mozilla.firefox-123.scope":   "app-flatpak-org.mozilla.firefox.scope",
		"app-org.gnome.Terminal@" + long + ".service": "app-org.gnome.Terminal@.service",
		"app-gnome\\x2dx-1.scope":                     "app-gnome\\x2dx.scope",
		"dbus-:1.2-org.gnome.Shell@0.service":         "dbus-org.gnome.Shell@.service",
		"snap.firefox.firefox-0d4e3ffb-7b3c-4a9f-8a53-9a2d1f0c7e11.scope": "snap.firefox.firefox.scope",
		"vte-spawn-0d4e3ffb-7b3c-4a9f-8a53-9a2d1f0c7e11.scope":            "vte-spawn.scope",
		"crio-conmon-" + id + ".scope":                                    "crio-conmon.scope",
		"podman-1234.scope":                                               "podman.scope",
		"podman-pause-1a2b3c4d.scope":                                     "podman-pause.scope",
		"100.scope":                                                       "*.scope",
		"machine-qemu\\x2d3\\x2dweb.scope":                                "machine-qemu.scope",
		"machine-box.scope":                                               "machine.scope",
		id + ".service":                                                   "*.service",
		"var-lib-kubelet-pods-0d4e3ffb\\x2d7b3c\\x2d4a9f\\x2d8a53\\x2d9a2d1f0c7e11-volumes.mount": "var-lib-kubelet-pods-*-volumes.mount",
		"postgresql-15.service": "postgresql-*.service",
		"facade-decade.scope":   "facade.scope",
	} {
		if got := fold(unit, ""); got != want {
			t.Errorf("%s: %s, want %s", unit, got, want)
		}
	}
}

// A scope that has only a number or an ID is called after its slice.
func TestFoldByItsSlice(t *testing.T) {
	for path, want := range map[string]string{
		"/qemu.slice/100.scope":                           "qemu-*.scope",
		"/qemu.slice/" + pod + ".scope":                   "qemu-*.scope",
		"/qemu.slice/0a1b2c3d.scope":                      "qemu-*.scope",
		"/user.slice/user-1000.slice/7.scope":             "user-*.scope",
		"/vms.slice/vms-" + podInSlice + ".slice/1.scope": "vms-*.scope",
		"/100.scope":                "*.scope",
		"/qemu.slice/100.service":   "*.service",
		"/qemu.slice/build-7.scope": "build.scope",
	} {
		if f := parse(path); f.Name != want {
			t.Errorf("%s: %s, want %s", path, f.Name, want)
		}
	}
}

func TestExecutableName(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/bin/minijail0":                "minijail0",
		"/usr/bin/python3.12":               "python3.12",
		"/usr/sbin/nginx (deleted)":         "nginx (deleted)",
		"/memfd:runc_cloned:/proc/self/exe": "memfd:runc_cloned:/proc/self/exe",
		"/memfd:":                           "memfd:",
		"":                                  "exe:unreadable",
		"/tmp/":                             "exe:unreadable",
		"/tmp/exe:unreadable":               "exe:exe:unreadable",
		"/tmp/other":                        "exe:other",
		"/tmp/run":                          "exe:run",
		"/tmp/sshd.service":                 "exe:sshd.service",
		"/tmp/container:nginx":              "exe:container:nginx",
		"/tmp/memfd:x":                      "exe:memfd:x",
		"/tmp/\xff\x1b[2J\u202e":            "\uFFFD\uFFFD[2J\uFFFD",
		"/tmp/" + strings.Repeat("x", 300):  "exe:" + strings.Repeat("x", 124),
		"/tmp/" + strings.Repeat("y", 120) + ".service": "exe:" + strings.Repeat("y", 120) + ".ser",
	} {
		if got := executableName(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"a b":                            "a b",
		"a\nb\x00":                       "a\uFFFDb\uFFFD",
		strings.Repeat("é", 100):         strings.Repeat("é", 64),
		"x" + strings.Repeat("é", 100):   "x" + strings.Repeat("é", 63),
		strings.Repeat("\xff", 1000):     "\uFFFD",
		strings.Repeat("日", 50) + "\xff": strings.Repeat("日", 42),
	} {
		if got := clean(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// checkName is what holds for every name that is shown.
func checkName(t *testing.T, what, name string) {
	t.Helper()
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || name == Other {
		t.Fatalf("%s: name %q", what, name)
	}
	for _, r := range name {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			t.Fatalf("%s: character %U in name %q", what, r, name)
		}
	}
}

var longHex = regexp.MustCompile(`[0-9a-f]{12,}`)

// checkPath holds a path against what is promised of names.
func checkPath(t *testing.T, path, exe string) {
	t.Helper()
	tab := table{fold: true}
	tab.begin()
	c := newCgroup()
	c.setPath(path, known)
	w := tab.of[tab.row(c, exe)]
	checkName(t, path, w.Name)
	checkName(t, path, w.FullName)
	if w.Kind == scan.InContainer {
		// Not folded, the name has what the executable's has.
		inFull := exe + c.facts.Machine
		for name, allowed := range map[string]string{w.Name: "", w.FullName: inFull} {
			if id := longHex.FindString(name); strings.ContainsAny(id, "0123456789") && !strings.Contains(allowed, id) {
				t.Fatalf("%s: ID %s in the name %q of a container", path, id, name)
			}
		}
		if !strings.HasPrefix(w.Name, "container:") {
			t.Fatalf("%s: container is called %q", path, w.Name)
		}
	}
	if (w.Container != nil) != (w.Kind == scan.InContainer) {
		t.Fatalf("%s: %+v", path, w)
	}
	if w.Kind == scan.UserUnit && !strings.HasPrefix(w.Name, "user@/") || w.Kind != scan.UserUnit && strings.HasPrefix(w.Name, "user@/") {
		t.Fatalf("%s: kind %v is called %q", path, w.Kind, w.Name)
	}
	// A unit of the system's is named by the first component that is no slice.
	if w.Kind == scan.Unit {
		first := ""
		for component := range strings.SplitSeq(path, "/") {
			if component != "" && !isSlice(unescape(component)) {
				first = unescape(component)
				break
			}
		}
		if w.Unit != first {
			t.Fatalf("%s: unit %q, but the first below slices is %q", path, w.Unit, first)
		}
	}
}

// randomPath puts together what occurs and what does not.
func randomPath(r *rand.Rand) (path, exe string) {
	hex := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = "0123456789abcdef"[r.IntN(16)]
		}
		return string(b)
	}
	word := func() string {
		words := []string{"ssh", "user", "user@", "user@1000", "a-b", "run-", "run-u", "session-", "app-", "app-x-", "docker", "docker-", "machine-", "lxc",
			"lxc.payload", "payload", "libpod-", "conmon", "kubepods", "-pod", "pod", "crio-", "_", "__", "@", "x@y", ".", "..", ":", "\\x2d", "é", "\xff",
			"\x1b[2J", "\n", "\u202e", "other", " ", "%", strings.Repeat("long", 40), strings.Repeat("\xfe", 70), "buildkit", "*", "dbus-:1.2-"}
		return words[r.IntN(len(words))]
	}
	uid := func() string {
		sep := []string{"-", "_"}[r.IntN(2)]
		return hex(8) + sep + hex(4) + sep + hex(4) + sep + hex(4) + sep + hex(12)
	}
	var b strings.Builder
	if r.IntN(4) == 0 {
		b.WriteString("/user.slice/user-1000.slice/user@1000.service")
	}
	for range r.IntN(8) {
		b.WriteByte('/')
		for range r.IntN(4) {
			switch r.IntN(8) {
			case 0:
				b.WriteString(hex(64))
			case 1:
				b.WriteString(uid())
			case 2:
				b.WriteString(hex(r.IntN(70)))
			default:
				b.WriteString(word())
			}
		}
		b.WriteString([]string{"", "", ".slice", ".slice", ".service", ".scope", ".mount", ".slice:cri-containerd:" + hex(64)}[r.IntN(8)])
	}
	return b.String(), "/" + word() + []string{"", "/", " (deleted)", hex(r.IntN(70))}[r.IntN(4)] + word()
}

func TestParseProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	kinds := map[scan.WorkloadKind]int{}
	n := 100_000
	if testing.Short() {
		n /= 10
	}
	for range n {
		path, exe := randomPath(r)
		checkPath(t, path, exe)
		kinds[parse(path).Kind]++
	}
	for _, k := range []scan.WorkloadKind{scan.Executable, scan.Unit, scan.UserUnit, scan.InContainer} {
		if kinds[k] < n/200 {
			t.Errorf("%d random paths of kind %v: this shows little", kinds[k], k)
		}
	}
}

func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 50 {
		path, exe := randomPath(r)
		f.Add(path, exe)
	}
	f.Fuzz(func(t *testing.T, path, exe string) { checkPath(t, path, exe) })
}

func FuzzParseLog(f *testing.F) {
	f.Add("web-1_default_nginx-" + id + ".log")
	f.Add("a_b_c_d-" + id + ".log")
	f.Fuzz(func(t *testing.T, name string) {
		c, ok := parseLog(name)
		if !ok {
			return
		}
		if c.Pod+"_"+c.Namespace+"_"+c.Name+"-"+c.ID+".log" != name {
			t.Fatalf("%q: %+v", name, c)
		}
		checkName(t, name, clean(c.Namespace+"/"+c.Name))
	})
}

func TestParseLog(t *testing.T) {
	for name, want := range map[string]scan.Container{
		"web-1_default_nginx-" + id + ".log":                 {ID: id, Pod: "web-1", Namespace: "default", Name: "nginx"},
		"a.b_kube-system_c-d-" + id + ".log":                 {ID: id, Pod: "a.b", Namespace: "kube-system", Name: "c-d"},
		"web-1_default_nginx-" + id:                          {},
		"web-1_default-" + id + ".log":                       {},
		"a_b_c_d-" + id + ".log":                             {},
		"a_b_-" + id + ".log":                                {},
		"a_b_C-" + id + ".log":                               {},
		"a_b_c" + id + ".log":                                {},
		"a_b_c-" + id[1:] + ".log":                           {},
		"a_\x1b_c-" + id + ".log":                            {},
		"a_" + strings.Repeat("b", 64) + "_c-" + id + ".log": {},
	} {
		c, ok := parseLog(name)
		if ok != (want.ID != "") || ok && c != want {
			t.Errorf("%s: %+v %v", name, c, ok)
		}
	}
}
