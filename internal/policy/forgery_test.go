// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

const containerID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// forged are processes that look like a daemon and are not it: each adds one to a
// host, in a domain or in none.
var forged = map[string]func(h host, domain int32) *scan.Process{
	"own mount namespace": func(h host, d int32) *scan.Process {
		p := h.process(h.unit("session-3.scope"), "/usr/sbin/daemon", d)
		p.ExeOrigin = scan.OfUser
		return p
	},
	"own root directory": func(h host, d int32) *scan.Process {
		p := h.process(h.unit("jail.service"), "/usr/sbin/daemon", d)
		p.ExeOrigin = scan.OfImage
		return p
	},
	"user unit with a system unit's name": func(h host, d int32) *scan.Process {
		w := h.workload(scan.Workload{Kind: scan.UserUnit, Unit: "user@1000/daemon.service", Slice: "user-1000.slice",
			Cgroup: "/user.slice/user-1000.slice/user@1000.service/app.slice/daemon.service"})
		return h.process(w, "/home/u/x", d)
	},
	"cgroup with a unit's name, below a delegated one": func(h host, d int32) *scan.Process {
		w := h.workload(scan.Workload{Kind: scan.Unit, Unit: "box.service", Delegated: true, Slice: "system.slice",
			Cgroup: "/system.slice/box.service/system.slice/daemon.service"})
		p := h.process(w, "/x", d)
		p.ExeOrigin = scan.OfUser
		return p
	},
	"renamed": func(h host, d int32) *scan.Process {
		p := h.process(h.unit("session-3.scope"), "/home/u/x", d)
		p.ExeOrigin = scan.OfUser
		copy(p.Comm[:], "daemon")
		return p
	},
	"container with a file at the path": func(h host, d int32) *scan.Process {
		w := h.workload(scan.Workload{Kind: scan.InContainer, FullName: "container:daemon", Slice: "system.slice", Cgroup: "/system.slice/docker-" + containerID + ".scope",
			Container: &scan.Container{ID: containerID, Runtime: "docker"}})
		p := h.process(w, "/usr/sbin/daemon", d)
		p.ExeOrigin = scan.OfImage
		return p
	},
	"rootless container with a file at the path": func(h host, d int32) *scan.Process {
		w := h.workload(scan.Workload{Kind: scan.UserUnit, Unit: "user@1000/libpod-" + containerID + ".scope",
			Cgroup: "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + containerID + ".scope"})
		p := h.process(w, "/usr/sbin/daemon", d)
		p.ExeOrigin = scan.OfUser
		return p
	},
}

// rulesByName are rules about one daemon, by all names that are the system's.
var rulesByName = map[string]string{
	"unit":   `unit: [daemon.service]`,
	"units":  `unit: ["d*.service"]`,
	"regexp": `unit: ["re:.*daemon\\.service"]`,
	"double": `unit: ["**daemon.service"]`,
	"exe":    `exe: [/usr/sbin/daemon]`,
	"exes":   `exe: ["/usr/sbin/*"]`,
	"comm":   `comm: [daemon]`,
	"cgroup": `cgroup: [/system.slice/daemon.service]`,
}

func daemonHost(domain int32, h host) *scan.Process {
	p := h.process(h.unit("daemon.service"), "/usr/sbin/daemon", domain)
	copy(p.Comm[:], "daemon")
	return p
}

// What is forged is not seen by a rule at all: it neither satisfies one whose daemon
// is gone nor violates one whose daemon is as it should be.
func TestForgeries(t *testing.T) {
	for name, match := range rulesByName {
		text := "rules: [{name: r, match: {" + match + "}, min_processes: 1}]"
		for what, forge := range forged {
			h := newHost()
			forge(h, h.domain(-1, allFS))
			if r := evaluate(t, text, h).rule("r"); !r.Violated || r.Applied || r.Processes != [NumResults]int{} {
				t.Errorf("%s, without its daemon: %s: %+v", name, what, r)
			}
			h = newHost()
			daemonHost(h.domain(-1, allFS), h)
			forge(h, -1)
			if r := evaluate(t, text, h).rule("r"); r.Violated || r.Processes != [NumResults]int{1, 0, 0, 0} {
				t.Errorf("%s, with its daemon: %s: %+v", name, what, r)
			}
		}
	}
}

// A daemon that lost its sandbox cannot get out of a rule by what it can do
// itself.
func TestNoEscape(t *testing.T) {
	escapes := map[string]func(h host, p *scan.Process){
		"none":             func(host, *scan.Process) {},
		"another name":     func(_ host, p *scan.Process) { p.Comm = scan.Comm{'x'} },
		"another program":  func(_ host, p *scan.Process) { p.Exe = "/tmp/x" },
		"replaced program": func(_ host, p *scan.Process) { p.ExeDeleted = true },
		"a namespace":      func(_ host, p *scan.Process) { p.ExeOrigin = scan.OfUser },
		"a partial domain": func(h host, p *scan.Process) {
			p.State = scan.Partial
			h.Tasks[p.FirstTask].Domain = h.domain(-1, access.Rights{})
		},
	}
	for what, escape := range escapes {
		h := newHost()
		p := daemonHost(-1, h)
		escape(h, p)
		if r := evaluate(t, "rules: [{name: r, match: {unit: [daemon.service]}}]", h).rule("r"); !r.Violated {
			t.Errorf("%s: %+v", what, r)
		}
	}
	h := newHost()
	daemonHost(-1, h).ExeDeleted = true
	if r := evaluate(t, "rules: [{name: r, match: {exe: [/usr/sbin/daemon]}}]", h).rule("r"); r == nil || !r.Violated {
		t.Errorf("a program that was replaced: %+v", r)
	}
	// A service that may make cgroups calls one as a container is called: it is in its
	// unit still (internal/workload), and runs what it runs.
	h = newHost()
	w := h.workload(scan.Workload{Kind: scan.Unit, Unit: "daemon.service", Delegated: true,
		Cgroup: "/system.slice/daemon.service/docker-" + containerID + ".scope"})
	h.process(w, "/usr/sbin/daemon", -1)
	r := evaluate(t, `rules: [{name: r, match: {unit: [daemon.service]}}, {name: e, match: {exe: [/usr/sbin/daemon]}},
  {name: c, match: {container: ["*"]}}]`, h)
	for _, name := range []string{"r", "e"} {
		if x := r.rule(name); x == nil || !x.Violated {
			t.Errorf("a false container in the unit, %s: %+v", name, x)
		}
	}
	if x := r.rule("c"); x != nil {
		t.Errorf("a false container is one: %+v", x)
	}
}

// Whether a name may be believed can be unknown: then so is the result, and the
// rule is seen.
func TestUnknownIdentity(t *testing.T) {
	unresolved := func(h host) *scan.Process { return h.process(-1, "/usr/sbin/daemon", -1) }
	noOrigin := func(h host) *scan.Process {
		p := daemonHost(-1, h)
		p.ExeOrigin = scan.OriginUnknown
		return p
	}
	noExe := func(h host) *scan.Process {
		p := daemonHost(-1, h)
		p.Exe = ""
		return p
	}
	longExe := func(h host) *scan.Process {
		p := daemonHost(-1, h)
		p.Exe, p.ExeCut = "/usr/sbin/"+strings.Repeat("d", scan.CutPath), true
		return p
	}
	for _, c := range []struct {
		what, rule string
		add        func(host) *scan.Process
		applied    bool
	}{
		{"origin", "exe", noOrigin, true},
		{"origin", "comm", noOrigin, true},
		// This would make every rule of the host apply.
		{"cgroup", "unit", unresolved, false},
		{"cgroup", "cgroup", unresolved, false},
		{"exe", "exe", noExe, false},
		{"exe", "exes", noExe, false},
		{"rest of exe", "exes", longExe, false},
	} {
		text := "rules: [{name: r, match: {" + rulesByName[c.rule] + "}}]"
		h := newHost()
		c.add(h)
		e := New(load(t, text), Options{})
		r := e.Evaluate(h.Snapshot)
		if x := r.rule("r"); (x != nil) != c.applied || c.applied && (x.Processes != [NumResults]int{0, 0, 0, 1} || x.Violated || !r.Open()) {
			t.Errorf("%s unknown, %s: %+v", c.what, c.rule, x)
		}
		if (len(r.Undecided) == 0) != c.applied {
			t.Errorf("%s unknown, %s: %+v", c.what, c.rule, r.Undecided)
		}
		x := e.Explain(h.Snapshot, &h.Processes[0])[0]
		if x.Applies != access.Unknown || x.Result != Unknown || !strings.Contains(x.Why, "known") {
			t.Errorf("%s unknown, %s: %+v", c.what, c.rule, x)
		}
		// Where the rule applies anyway, those alone count as Unknown.
		want := [NumResults]int{1, 0, 0, 0}
		if c.applied {
			want[Unknown] = 1
		}
		h = newHost()
		daemonHost(h.domain(-1, allFS), h)
		c.add(h)
		if x := evaluate(t, text, h).rule("r"); x.Processes != want || x.Violated {
			t.Errorf("%s unknown, %s, beside the daemon: %+v", c.what, c.rule, x)
		}
	}
}

func TestContainers(t *testing.T) {
	h := newHost()
	w := h.workload(scan.Workload{Kind: scan.InContainer, FullName: "shop/web", Cgroup: "/kubepods/podX/" + containerID,
		Container: &scan.Container{ID: containerID, PodUID: "X", Namespace: "shop", Pod: "web-1", Name: "web"}})
	unnamed := h.workload(scan.Workload{Kind: scan.InContainer, FullName: "container:web", Cgroup: "/kubepods/podY/" + containerID,
		Container: &scan.Container{ID: containerID, PodUID: "Y"}})
	docker := h.workload(scan.Workload{Kind: scan.InContainer, FullName: "container:web", Cgroup: "/docker/" + containerID,
		Container: &scan.Container{ID: containerID}})
	h.process(w, "/bin/web", -1).ExeOrigin = scan.OfImage
	h.process(unnamed, "/bin/web", -1).ExeOrigin = scan.OfImage
	h.process(docker, "/bin/web", -1).ExeOrigin = scan.OfUser
	h.process(h.unit("web.service"), "/bin/web", -1)
	pause := h.workload(scan.Workload{Kind: scan.InContainer, FullName: "container:pause", Cgroup: "/kubepods/podZ/" + containerID,
		Container: &scan.Container{ID: containerID, PodUID: "Z", Unnamed: true}})
	h.process(pause, "/pause", -1).ExeOrigin = scan.OfImage
	e := New(load(t, `
rules:
- {name: named, match: {container: [web]}}
- {name: any, match: {container: ["*"], exe: [/bin/web]}}
- {name: namespace, match: {namespace: [shop], exe: ["/bin/*"]}}
- {name: pod, match: {pod: ["web-*"]}}
- {name: other, match: {namespace: [other]}}
- {name: host, match: {exe: [/bin/web]}}
- {name: everywhere, match: {exe: [/bin/web], mntns: any}}
- {name: unit, match: {unit: [web.service]}}
`), Options{})
	want := [][8]string{
		{"yes", "yes", "yes", "yes", "no", "no", "yes", "no"},
		{"unknown", "yes", "unknown", "unknown", "unknown", "no", "yes", "no"},
		{"unknown", "yes", "no", "no", "no", "no", "yes", "no"},
		{"no", "no", "no", "no", "no", "yes", "yes", "yes"},
		{"no", "no", "no", "no", "no", "no", "no", "no"},
	}
	for i := range h.Processes {
		for j, x := range e.Explain(h.Snapshot, &h.Processes[i]) {
			if x.Applies.String() != want[i][j] || (x.Why == "") != (x.Applies == access.Yes && x.Result == Compliant) {
				t.Errorf("process %d, rule %s: %s (%s), want %s", i, x.Rule.Name, x.Applies, x.Why, want[i][j])
			}
		}
	}
}

// Whose word a path is matters only where the path is the one that is meant.
func TestExplainOrigin(t *testing.T) {
	for _, c := range []struct {
		match string
		from  scan.Origin
		want  string
	}{
		{"exe: [/bin/web]", scan.OfUser, "exe: any user could have put"},
		{"exe: [/bin/web]", scan.OfImage, "exe: its executable is below another root"},
		{"exe: [/bin/other]", scan.OfUser, "exe does not match"},
		{"exe: [/bin/other]", scan.OfImage, "exe does not match"},
		{"comm: [web]", scan.OfUser, "comm: any user could have put"},
		{"comm: [other]", scan.OfUser, "comm does not match"},
		{"uid: [5], exe: [/bin/web]", scan.OfUser, "uid does not match"},
	} {
		h := newHost()
		p := h.process(-1, "/bin/web", -1)
		p.ExeOrigin, p.Comm = c.from, scan.Comm{'w', 'e', 'b'}
		e := New(load(t, "rules: [{name: r, match: {"+c.match+"}}]"), Options{})
		x := e.Explain(h.Snapshot, p)[0]
		if x.Applies != access.No || !strings.HasPrefix(x.Why, c.want) {
			t.Errorf("%s, %s: %s (%s), want %s", c.match, c.from, x.Applies, x.Why, c.want)
		}
	}
}
