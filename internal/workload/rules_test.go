// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"testing"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// match returns a match with one pattern for each of some keys.
func match(t *testing.T, patterns map[policy.Key]string) (m policy.Match) {
	t.Helper()
	for k, text := range patterns {
		p, err := policy.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Patterns[k] = []policy.Pattern{p}
	}
	return m
}

// What rules make of the names: nobody leaves the rules of a unit, nor comes under
// those of a container, by a cgroup.
func TestRulesAbout(t *testing.T) {
	service := func(unit string) policy.Match {
		return match(t, map[policy.Key]string{policy.KeyUnit: unit})
	}
	every := match(t, map[policy.Key]string{policy.KeyContainer: "*"})
	web := match(t, map[policy.Key]string{policy.KeyNamespace: "shop", policy.KeyContainer: "web"})
	for _, c := range []struct {
		path   string
		match  policy.Match
		answer string
	}{
		{"evil.service/lxc.payload.web", service("evil.service"), "yes"},
		{"evil.service/lxc/web", service("evil.service"), "yes"},
		{"evil.service/lxc.payload/web", service("evil.service"), "yes"},
		{`evil.service/machine-lxc\x2dweb.scope`, service("evil.service"), "yes"},
		{"evil.service/docker-" + id + ".scope", service("evil.service"), "yes"},
		{"evil.service/kubepods/pod" + pod + "/" + id, service("evil.service"), "yes"},
		{"evil.service/lxc.payload.web", every, "no"},
		{"evil.service/lxc/web", web, "no"},
		{"evil.service/kubepods/pod" + pod + "/" + id, every, "no"},
		{"evil.service/kubepods/pod" + pod + "/" + id, web, "no"},
		{"systemd-nspawn@deb.service/payload/init.scope", service("systemd-nspawn@deb.service"), "yes"},
		{"systemd-nspawn@deb.service/payload/ssh.service", service("ssh.service"), "no"},
		{"web-a.service/libpod-payload-" + id, service("web-a.service"), "yes"},
		{"web-a.service/libpod-payload-" + id, service("web-b.service"), "no"},
		{"web-a.service/libpod-payload-" + id, every, "no"},
		{"user@7.service/app.slice/web-a.service/libpod-payload-" + id, every, "no"},
		{"user@7.service/app.slice/web-a.service/x", service("user@7/web-a.service"), "yes"},
		{"k3s.service/kubepods/pod" + pod + "/" + id, service("k3s.service"), "no"},
		{"k3s.service/kubepods/pod" + pod + "/" + id, every, "yes"},
		{"k3s.service/kubepods/pod" + pod + "/" + id, web, "yes"},
		{"k3s.service/lxc/web", service("k3s.service"), "yes"},
		{"build-7.service", service("build-7.service"), "yes"},
	} {
		tr := newTree(t)
		b := newBench(t, &tr, nil)
		n := node{bench: b, t: t, tr: tr}
		n.log("shop-1_shop_web-" + id + ".log")
		s := snapshot(scan.Process{CgroupID: tr.make("system.slice/" + c.path), Exe: "/x", UID: 7})
		b.Assign(s)
		if answer, why := c.match.About(s, &s.Processes[0]); answer.String() != c.answer {
			t.Errorf("%s: %s, want %s: %s", c.path, answer, c.answer, why)
		}
	}
}
