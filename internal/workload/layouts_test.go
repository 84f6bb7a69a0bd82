// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

var update = flag.Bool("update", false, "write the table in docs/workloads.md anew")

// layout is how something that runs programs lays out its cgroups. In the path, what
// a restart makes anew stands in capitals: see makings.
type layout struct {
	what, path, exe string
	// logged reports whether Kubernetes has a log of it.
	logged bool
	// want is its folded name, full its name in full, and whose what that is.
	want, full, whose string
}

// Where the layouts are: in user the user manager's units, in pod a pod's containers.
const (
	user  = "/user.slice/user-1000.slice/user@1000.service/"
	pods  = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podPOD_.slice"
	nginx = "/usr/sbin/nginx"
)

var layouts = []layout{
	{"systemd: a service", "/system.slice/ssh.service", "/usr/sbin/sshd", false,
		"ssh.service", "ssh.service", "unit"},
	{"a service with cgroups of its own", "/system.slice/app.service/worker", "/usr/bin/app", false,
		"app.service", "app.service", "unit, delegated"},
	{"a template's instance", "/system.slice/system-getty.slice/getty@tty1.service", "/sbin/agetty", false,
		"getty@.service", "getty@tty1.service", "unit"},
	{"a service with a number", "/system.slice/build-NUM.service", "/usr/bin/make", false,
		"build-*.service", "build-NUM.service", "unit"},
	{"a scope with an ID", "/system.slice/job-SHORT.scope", "/usr/bin/job", false,
		"job.scope", "job-SHORT.scope", "unit"},
	{"systemd-run(1)", "/system.slice/run-uNUM.service", "/usr/bin/job", false,
		"run", "run-uNUM.service", "unit"},
	{"systemd-run(1) --scope", "/system.slice/run-rLONG.scope", "/usr/bin/job", false,
		"run", "run-rLONG.scope", "unit"},
	{"a login", "/user.slice/user-1000.slice/session-NUM.scope", "/bin/bash", false,
		"session.scope", "session-NUM.scope", "unit"},
	{"a user's unit", user + "session.slice/pipewire.service", "/usr/bin/pipewire", false,
		"user@/pipewire.service", "user@1000/pipewire.service", "user's unit"},
	{"a desktop's application", user + "app.slice/app-gnome-firefox-NUM.scope", "/usr/bin/firefox", false,
		"user@/app-gnome-firefox.scope", "user@1000/app-gnome-firefox-NUM.scope", "user's unit"},
	{"Flatpak", user + "app.slice/app-flatpak-org.gimp.GIMP-NUM.scope", "/app/bin/gimp", false,
		"user@/app-flatpak-org.gimp.GIMP.scope", "user@1000/app-flatpak-org.gimp.GIMP-NUM.scope", "user's unit"},
	{"snap: an application", user + "app.slice/snap.firefox.firefox-UUID.scope", "/snap/firefox/1/firefox", false,
		"user@/snap.firefox.firefox.scope", "user@1000/snap.firefox.firefox-UUID.scope", "user's unit"},
	{"snap: a service", "/system.slice/snap.lxd.daemon.service", "/snap/lxd/1/bin/lxd", false,
		"snap.lxd.daemon.service", "snap.lxd.daemon.service", "unit"},
	{"GitHub's runner", "/system.slice/actions.runner.org-repo.host.service", "/opt/Runner.Worker", false,
		"actions.runner.org-repo.host.service", "actions.runner.org-repo.host.service", "unit"},

	{"Docker, systemd's driver, v1 and v2", "/system.slice/docker-ID.scope", nginx, false,
		"container:nginx", "container:nginx", "container"},
	{"Docker, cgroupfs, v1 and v2; on OpenRC", "/docker/ID", nginx, false,
		"container:nginx", "container:nginx", "container"},
	{"Docker, rootless", user + "user.slice/docker-ID.scope", nginx, false,
		"user@/docker.scope", "user@1000/docker-ID.scope", "user's unit"},
	{"Podman", "/machine.slice/libpod-ID.scope/container", nginx, false,
		"container:nginx", "container:nginx", "container"},
	{"Podman, in a pod", "/machine.slice/machine-libpod_pod_OTHER.slice/libpod-ID.scope", nginx, false,
		"container:nginx", "container:nginx", "container"},
	{"Podman, cgroupfs", "/libpod_parent/libpod-ID", nginx, false,
		"container:nginx", "container:nginx", "container"},
	{"Podman: what watches a container", "/machine.slice/libpod-conmon-ID.scope", "/usr/bin/conmon", false,
		"libpod-conmon.scope", "libpod-conmon-ID.scope", "unit"},
	{"Podman, rootless", user + "user.slice/libpod-ID.scope/container", nginx, false,
		"user@/libpod.scope", "user@1000/libpod-ID.scope", "user's unit, delegated"},
	{"Podman by Quadlet", "/system.slice/web-a.service/libpod-payload-ID", nginx, false,
		"web-a.service", "web-a.service", "unit, delegated"},
	{"Podman by Quadlet, a user's", user + "app.slice/web-a.service/libpod-payload-ID", nginx, false,
		"user@/web-a.service", "user@1000/web-a.service", "user's unit, delegated"},
	{"BuildKit", "/buildkit/BUILD", "/usr/bin/make", false,
		"container:make", "container:make", "container"},
	{"BuildKit in Docker", "/docker/buildkit/BUILD", "/usr/bin/make", false,
		"container:make", "container:make", "container"},
	{"BuildKit in Docker, systemd's driver", "/system.slice/docker-BUILD.scope", "/usr/bin/make", false,
		"container:make", "container:make", "container"},

	{"Kubernetes, containerd, systemd's driver", "/" + pods + "/cri-containerd-ID.scope", nginx, true,
		"shop/web", "shop/web", "container"},
	{"Kubernetes, containerd, cgroupfs", "/kubepods/burstable/podPOD/ID", nginx, true,
		"shop/web", "shop/web", "container"},
	{"Kubernetes, CRI-O, systemd's driver", "/" + pods + "/crio-ID.scope/container", nginx, true,
		"shop/web", "shop/web", "container"},
	{"Kubernetes, CRI-O, cgroupfs", "/kubepods/burstable/podPOD/crio-ID", nginx, true,
		"shop/web", "shop/web", "container"},
	{"Kubernetes: a pod's sandbox", "/" + pods + "/cri-containerd-OTHER.scope", "/pause", false,
		"container:pause", "container:pause", "container"},
	{"containerd, systemd's form without its driver",
		"/system.slice/containerd.service/kubepods-burstable-podPOD_.slice:cri-containerd:ID", nginx, true,
		"shop/web", "shop/web", "container"},
	{"k3s", "/system.slice/k3s.service/" + pods + "/cri-containerd-ID.scope", nginx, true,
		"shop/web", "shop/web", "container"},
	{"k3s itself", "/system.slice/k3s.service", "/usr/local/bin/k3s", false,
		"k3s.service", "k3s.service", "unit"},
	{"rke2", "/system.slice/rke2-server.service/" + pods + "/cri-containerd-ID.scope", nginx, true,
		"shop/web", "shop/web", "container"},
	{"kubelet", "/system.slice/kubelet.service/kubepods/burstable/podPOD/ID", nginx, true,
		"shop/web", "shop/web", "container"},
	{"CRI-O's unit", "/system.slice/crio.service/" + pods + "/crio-ID.scope", nginx, true,
		"shop/web", "shop/web", "container"},
	{"Kata", "/kubepods/burstable/podPOD/kata_OTHER", "/opt/kata/bin/qemu", false,
		"container:qemu", "container:qemu", "container"},
	{"Kata, what it needs beside", "/kata_overhead/OTHER", "/opt/kata/bin/virtiofsd", false,
		"container:virtiofsd", "container:virtiofsd", "container"},

	{"LXC, Incus, LXD", "/lxc.payload.web1/system.slice/ssh.service", "/usr/sbin/sshd", false,
		"container:sshd", "container:web1/sshd", "container"},
	{"LXC before 4.0", "/lxc/web1", "/usr/sbin/sshd", false,
		"container:sshd", "container:web1/sshd", "container"},
	{"LXC, a user's", user + "app.slice/run-rLONG.scope/lxc.payload.web1", "/usr/sbin/sshd", false,
		"user@/run", "user@1000/run-rLONG.scope", "user's unit, delegated"},
	{"Proxmox: a container", "/lxc/101/ns/system.slice/ssh.service", "/usr/sbin/sshd", false,
		"container:sshd", "container:101/sshd", "container"},
	{"Proxmox: a virtual machine", "/qemu.slice/NUM.scope", "/usr/bin/qemu-system-x86_64", false,
		"qemu-*.scope", "NUM.scope", "unit"},
	{"systemd-nspawn(1) as a service", "/machine.slice/systemd-nspawn@deb.service/payload/init.scope",
		"/usr/lib/systemd/systemd", false,
		"systemd-nspawn@.service", "systemd-nspawn@deb.service", "unit, delegated"},
	{"systemd-nspawn(1) by hand", "/machine.slice/machine-deb.scope/payload", "/bin/bash", false,
		"machine.scope", "machine-deb.scope", "unit, delegated"},
	{"libvirt: LXC", `/machine.slice/machine-lxc\x2dNUM\x2dbox.scope/libvirt`, "/sbin/init", false,
		"container:init", "container:box/init", "container"},
	{"libvirt: LXC without systemd", "/machine/lxc-NUM-box.libvirt-lxc", "/sbin/init", false,
		"container:init", "container:box/init", "container"},
	{"libvirt: QEMU", `/machine.slice/machine-qemu\x2dNUM\x2dvm.scope/libvirt/emulator`, "/usr/bin/qemu", false,
		"machine-qemu.scope", `machine-qemu\x2dNUM\x2dvm.scope`, "unit, delegated"},

	{"Nomad, v2", "/nomad.slice/share.slice/UUID.web.scope", nginx, false,
		"*.web.scope", "UUID.web.scope", "unit"},
	{"Nomad, v1 without systemd's hierarchy", "/nomad/UUID.web", nginx, false,
		"container:nginx", "container:web/nginx", "container"},
	{"Nomad before 1.7, likewise", "/nomad/UUID", nginx, false,
		"container:nginx", "container:nginx", "container"},
	{"Slurm, v2", "/system.slice/slurmstepd.scope/job_NUM/step_0/user/task_0", "/home/a/sim", false,
		"slurmstepd.scope", "slurmstepd.scope", "unit, delegated"},
	{"Slurm, v2, several on one host", "/system.slice/node1_slurmstepd.scope/job_NUM/step_0/user/task_0",
		"/home/a/sim", false,
		"slurmstepd.scope", "node1_slurmstepd.scope", "unit, delegated"},
	{"Slurm, v1 without systemd's hierarchy", "/slurm/uid_1000/job_NUM/step_0/task_0", "/home/a/sim", false,
		"sim", "sim", "executable"},
	{"Mesos, v1 without systemd's hierarchy", "/mesos/UUID", nginx, false,
		"container:nginx", "container:nginx", "container"},
	{"Mesos, v2", "/mesos/UUID/leaf", nginx, false,
		"container:nginx", "container:nginx", "container"},
}

// makings make what a restart makes anew.
var makings = map[string]func(r *rand.Rand) string{
	"NUM":   func(r *rand.Rand) string { return strconv.Itoa(1 + r.IntN(1<<r.IntN(31))) },
	"SHORT": func(r *rand.Rand) string { return digits(r, 16, 6) },
	"LONG":  func(r *rand.Rand) string { return digits(r, 16, 32) },
	"ID":    func(r *rand.Rand) string { return digits(r, 16, 64) },
	"OTHER": func(r *rand.Rand) string { return digits(r, 16, 64) },
	"BUILD": func(r *rand.Rand) string { return digits(r, 36, 25) },
	"UUID":  func(r *rand.Rand) string { return randomUUID(r, "-") },
	"POD":   func(r *rand.Rand) string { return randomUUID(r, "-") },
	"POD_":  func(r *rand.Rand) string { return randomUUID(r, "_") },
}

var making = regexp.MustCompile(`NUM|SHORT|LONG|OTHER|BUILD|UUID|POD_|POD|ID`)

func digits(r *rand.Rand, base, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[r.IntN(base)]
	}
	return string(b)
}

func randomUUID(r *rand.Rand, sep string) string {
	d := digits(r, 16, 32)
	return strings.Join([]string{d[:8], d[8:12], d[12:16], d[16:20], d[20:]}, sep)
}

// start returns the workload of a start, and what its name in full is to be.
func (l *layout) start(r *rand.Rand) (w scan.Workload, full string) {
	made := map[string]string{}
	fill := func(text string) string {
		return making.ReplaceAllStringFunc(text, func(what string) string {
			if made[what] == "" {
				made[what] = makings[what](r)
			}
			return made[what]
		})
	}
	c := newCgroup()
	c.setPath(fill(l.path), known)
	if l.logged {
		of := *c.facts.Container
		of.Pod, of.Namespace, of.Name = "shop-"+digits(r, 36, 5), "shop", "web"
		c.name(of, c.since)
	}
	tab := table{fold: true}
	return tab.of[tab.row(c, l.exe)], fill(l.full)
}

func whose(w *scan.Workload) string {
	words := map[scan.WorkloadKind]string{scan.Unit: "unit", scan.UserUnit: "user's unit",
		scan.InContainer: "container", scan.Executable: "executable"}
	if w.Delegated {
		return words[w.Kind] + ", delegated"
	}
	return words[w.Kind]
}

// A month of restarts makes no new names.
func TestLayouts(t *testing.T) {
	const restarts = 1000
	r := rand.New(rand.NewPCG(7, 11))
	for _, l := range layouts {
		names := map[string]bool{}
		for range restarts {
			w, full := l.start(r)
			names[w.Name] = true
			if w.Name != l.want || w.FullName != full || whose(&w) != l.whose {
				t.Errorf("%s: %s is called %q, %q, %s", l.what, w.Cgroup, w.Name, w.FullName, whose(&w))
				break
			}
		}
		if len(names) != 1 {
			t.Errorf("%s: %d names", l.what, len(names))
		}
	}
}

// tableOfLayouts is the table in docs/workloads.md. TestLayouts checks its contents.
func tableOfLayouts() string {
	var b strings.Builder
	b.WriteString("| what | cgroup | name | in full | whose |\n|---|---|---|---|---|\n")
	plain := strings.NewReplacer("POD_", "POD", "OTHER", "ID", "SHORT", "ID", "LONG", "ID", "BUILD", "ID")
	for _, l := range layouts {
		full := "the same"
		if l.full != l.want {
			full = "`" + plain.Replace(l.full) + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | `%s` | %s | %s |\n",
			l.what, plain.Replace(l.path), l.want, full, l.whose)
	}
	return b.String()
}

func TestTableOfLayouts(t *testing.T) {
	const file = "../../docs/workloads.md"
	const begin, end = "<!-- Generated by go generate ./internal/workload. Do not edit. -->\n", "<!-- End. -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	old, tail, ended := strings.Cut(rest, end)
	table := tableOfLayouts()
	switch {
	case !found || !ended:
		t.Fatalf("%s has no place for the table", file)
	case *update:
		if err := os.WriteFile(file, []byte(head+begin+table+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	case old != table:
		t.Error("docs/workloads.md is not what the layouts say: run go generate ./internal/workload")
	}
}
