// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
)

// forgery is one attempt of a user to satisfy, to break or to escape a rule that
// is about others.
type forgery struct {
	name string
	// unit is what mallory calls the service that it runs in.
	unit string
	// command is what runs there.
	command []string
	// Where it comes to run, and as what: else the attempt was none.
	exe, comm, cgroup string
	// workload is what it is called, as the user's own.
	workload string
	// sandboxed: the rule about this user is content with it.
	sandboxed bool
}

const (
	malloryUnits = "/user.slice/user-1001.slice/user@1001.service/"
	own          = "/home/mallory/own"
)

// mounted is a command of a user: in user and mount namespaces of its own, a
// program of its own over another.
func mounted(over string, command ...string) []string {
	return append([]string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
		"mount --bind " + own + " " + over + ` && exec "$@"`, "sh"}, command...)
}

var inSandbox = []string{self, "launch", "--"}

// forgeries are mallory's. Each is a process of user 1001, of whom the rule
// "untrusted" expects a sandbox, and about whom no other rule is.
var forgeries = []forgery{
	{
		name: "a user unit with the name of a system unit that must be sandboxed",
		unit: "t-plain.service", command: []string{own, "infinity"},
		exe: own, comm: "own", cgroup: "app.slice/t-plain.service", workload: "user@/t-plain.service",
	},
	{
		name: "a user unit with the name of a system unit that must run",
		unit: "t-absent.service", command: slices.Concat(inSandbox, []string{own, "infinity"}),
		exe: own, comm: "own", cgroup: "app.slice/t-absent.service", workload: "user@/t-absent.service", sandboxed: true,
	},
	{
		name: "a user unit with the name of an exempt system unit",
		unit: "t-exempt.service", command: []string{own, "infinity"},
		exe: own, comm: "own", cgroup: "app.slice/t-exempt.service", workload: "user@/t-exempt.service",
	},
	{
		name: "a program over one that must be sandboxed",
		unit: "f-guarded.service", command: mounted(programs+"guarded", programs+"guarded", "infinity"),
		exe: programs + "guarded", comm: "guarded", cgroup: "app.slice/f-guarded.service", workload: "user@/f-guarded.service",
	},
	{
		name: "a sandboxed program over one that must run",
		unit: "f-absent.service", command: mounted(programs+"absent", slices.Concat(inSandbox, []string{programs + "absent", "infinity"})...),
		exe: programs + "absent", comm: "absent", cgroup: "app.slice/f-absent.service", workload: "user@/f-absent.service", sandboxed: true,
	},
	{
		name: "a program over one that a rule leaves out",
		unit: "f-trusted.service", command: mounted(programs+"trusted", programs+"trusted", "infinity"),
		exe: programs + "trusted", comm: "trusted", cgroup: "app.slice/f-trusted.service", workload: "user@/f-trusted.service",
	},
	{
		name: "another name for itself",
		unit: "f-comm.service", command: []string{self, "named", "guarded"},
		exe: self, comm: "guarded", cgroup: "app.slice/f-comm.service", workload: "user@/f-comm.service",
	},
	{
		name: "a cgroup with the path of a system unit below a user's",
		unit: "f-cgroup.service", command: enterOwn("system.slice/t-plain.service"),
		exe: own, comm: "own", cgroup: "system.slice/t-plain.service", workload: "user@/t-plain.service",
	},
	{
		name: "a cgroup with the name of an exempt scope below a user's",
		unit: "f-init.service", command: enterOwn("system.slice/init.scope"),
		exe: own, comm: "own", cgroup: "system.slice/init.scope", workload: "user@/init.scope",
	},
	{
		name: "a cgroup with the name of another's container",
		unit: "f-container.service", command: enterOwn("kubepods.slice/cri-containerd-" + webID + ".scope"),
		exe: own, comm: "own", cgroup: "kubepods.slice/cri-containerd-" + webID + ".scope", workload: "user@/cri-containerd.scope",
	},
	{
		name: "the same with the path of a program that must be sandboxed",
		unit: "f-docker.service", command: mounted(programs+"guarded", slices.Concat(
			enterOwn("docker-" + dockerID + ".scope")[:4], []string{programs + "guarded", "infinity"})...),
		exe: programs + "guarded", comm: "guarded", cgroup: "docker-" + dockerID + ".scope", workload: "user@/docker.scope",
	},
}

// enterOwn moves to a cgroup below that of mallory's service manager, who owns it.
func enterOwn(cgroup string) []string {
	return []string{self, "enter", cgroups + malloryUnits + cgroup, "--", own, "infinity"}
}

// checkForgery makes all forgeries at a time. None may change what any rule says,
// but those that are about their user.
func (h *host) checkForgery(t *T) {
	t.Must(copyFile("/bin/sleep", own))
	t.Must(os.Chown(own, mallory, mallory))
	before := h.scrape(t)
	if d := ofLive(t, before).Diff(pageOf(steady)); d != "" {
		t.Errorf("before it:\n%s", d)
	}
	start := []string{"--user", "start"}
	for _, f := range forgeries {
		write(t, "/run/user/1001/systemd/user/"+f.unit, "[Service]\nType=exec\nExecStart="+execStart(f.command)+"\n")
		start = append(start, f.unit)
	}
	mustAs(t, mallory, "systemctl", "--user", "daemon-reload")
	mustAs(t, mallory, "systemctl", start...)
	write(t, "/run/systemd/system/t-escape.service", escape)
	write(t, "/run/systemd/system/t-leave.service", leave)
	must(t, "systemctl", "daemon-reload")
	must(t, "systemctl", "start", "t-escape.service", "t-leave.service")
	startRootsForgeries(t)
	want := slices.Clone(running)
	names := maps.Clone(workloads)
	rules := slices.Clone(steady)
	untrusted := slices.IndexFunc(rules, func(s says) bool { return s.rule == "untrusted" })
	anywhere := slices.IndexFunc(rules, func(s says) bool { return s.rule == "guarded-anywhere" })
	for _, f := range forgeries {
		want = append(want, expected{f.exe, malloryUnits + f.cgroup, 1})
		c := names[f.workload]
		if f.sandboxed {
			c.sandboxed++
			rules[untrusted].compliant++
		} else {
			c.unsandboxed++
			rules[untrusted].violating++
		}
		names[f.workload] = c
		if f.exe == programs+"guarded" {
			rules[anywhere].violating++
		}
	}
	want = append(want, expected{programs + "trusted", "/system.slice/t-escape.service/system.slice/t-exempt.service", 1})
	names["t-escape.service"] = counts{0, 0, 1}
	want = append(want, expected{own, malloryUnits + "app.slice/left.scope", 1})
	names["user@/left.scope"] = counts{0, 0, 1}
	rules[untrusted].violating += 2
	rules = append(rules, bad("escape", 0, 1, "unsandboxed", "t-escape.service"))
	for _, f := range rootsForgeries {
		want = append(want, expected{f.exe, f.cgroup, 1})
		c := names[f.workload]
		c.unsandboxed++
		names[f.workload] = c
		rules[anywhere].violating++
	}
	rules[anywhere].violated = true
	settle(t, want)
	for _, f := range forgeries {
		if p := find(t, f.exe, malloryUnits+f.cgroup); p.comm != f.comm || p.uid != mallory {
			t.Fatalf("%s: it was not done: %+v", f.name, p)
		}
	}
	pastGrace(t)
	p := h.scrape(t)
	for _, prefix := range []string{"landlock_rule_processes{", "landlock_rule_violated{"} {
		if d := p.With(prefix).Diff(pageOf(rules).With(prefix)); d != "" {
			t.Errorf("a forgery changed what rules say:\n%s", d)
		}
	}
	compareWorkloads(t, p, names)
	t.Fact("info", fmt.Sprintf("%d forgeries: %d processes in the rule about their user", len(forgeries)+len(rootsForgeries),
		rules[untrusted].compliant+rules[untrusted].violating))
}

// escape is a service of the system that a rule is about, runs as mallory, and got
// a cgroup to manage. It goes to one below with the name of an exempt unit, and
// becomes what looks like a program that the rule leaves out.
var escape = "[Service]\nType=exec\nUser=mallory\nDelegate=yes\nExecStart=" + self + " enter " + cgroups +
	"/system.slice/t-escape.service/system.slice/t-exempt.service -- /usr/bin/unshare --user --map-root-user --mount sh -c " +
	"'mount --bind " + own + " " + programs + "trusted && exec " + programs + "trusted infinity'\n"

// leave is a service of the system that runs as mallory and has itself moved into a
// scope of mallory's own manager, which the system manager does for it. No rule
// about its unit can be about it any more; one about its user is, and one that
// needs a process in the unit misses it.
var leave = "[Service]\nType=exec\nUser=mallory\nEnvironment=XDG_RUNTIME_DIR=/run/user/1001\n" +
	"ExecStart=systemd-run --user --scope --quiet --unit=left.scope " + own + " infinity\n"

// rootsForgeries are containers of root's: their mount namespaces are the host's
// own by owner, with a file of theirs at the path of a program that must be
// sandboxed; and within them, names of the host's units.
var rootsForgeries = []struct {
	exe, cgroup, workload string
}{
	{programs + "guarded", "/system.slice/docker-" + imageID + ".scope", "container:guarded"},
	{programs + "guarded", "/system.slice/docker-" + systemID + ".scope/system.slice/t-plain.service", "container:guarded"},
}

func startRootsForgeries(t *T) {
	over := []string{"sh", "-c", "mount --bind " + own + " " + programs + `guarded && exec "$@"`, "sh"}
	sleep := []string{programs + "guarded", "infinity"}
	container(t, "system.slice", "docker-"+imageID+".scope", slices.Concat(over, sleep)...)
	container(t, "system.slice", "docker-"+systemID+".scope", slices.Concat(over,
		[]string{self, "enter", cgroups + rootsForgeries[1].cgroup, "--"}, sleep)...)
}
