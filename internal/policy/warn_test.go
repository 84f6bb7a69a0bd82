// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A pattern that matches nothing is warned of, and no other.
func TestWarnPattern(t *testing.T) {
	const names, user, replaced, unseen = "matches nothing: no", "begin with user@ only",
		"is replaced by", "where nobody sees it"
	long := strings.Repeat("a", 16)
	for _, c := range []struct {
		key, want string
		patterns  []string
	}{
		{"unit", "", []string{"systemd-resolved.service", "ngin*", "nginx.*", "nginx.[st]*", "*",
			"**", "nginx.[xyz]*", "getty@*.service", "getty@tty1.service", "re:.*",
			"re:(?i)NGINX.SERVICE",
			`re:a\b.service`, `dev-disk-by\x2dlabel.swap`, "init.scope", "**x.service", "user@*/*",
			"user@1000.service", "user@*/x.service", "re:user@[0-9]+/x.*"}},
		{"unit", names, []string{"nginx", "nginx.[xyz]", "nginx.timer", "system.slice", "re:nginx",
			"getty@.service", "my app.service", "user@1000/x", "user@root/x.service",
			"@a.service"}},
		{"unit", user, []string{"*/x.service", "**/x.service", "/system.slice/x.service",
			"re:.*/x.service"}},
		{"unit", unseen, []string{"nginx.service ", "nginx\u200b.service", "\ufeffnginx.service"}},
		{"slice", "", []string{"system.slice", "batch*", "**", "user-*.slice"}},
		{"slice", names, []string{"system", "system.slice/x.service", "system-getty@.slice"}},
		{"container", "", []string{"web", "*", "web-*", "[wW]eb", "web-?", "re:(?i)web", "re:|_"}},
		{"container", names, []string{"web_1", "Web", "*_1", "W*", "web-", "a.b"}},
		{"container", unseen, []string{"web\u00a01", " web"}},
		{"namespace", "", []string{"kube-system", "re:|x", "*"}},
		{"namespace", names, []string{"kube_system", "Prod*", "a.b"}},
		{"pod", "", []string{"web-0", "etcd-node.example.org", "web-*"}},
		{"pod", names, []string{"web_0", "web..0", "*_*"}},
		{"exe", "", []string{"/usr/bin/nginx", "**", "*/nginx", "**/nginx", "/usr/.x/..y/...",
			"/x/*",
			"re:.*nginx", "/memfd:a//b/", "/opt/my app/x", "/opt/é-日本", "/usr/bin/nice*",
			"/usr/bin/[e]nv", "/usr/bin/envoy", "/usr/bin/unshare", "/usr/bin/sudo", "/env/x"}},
		{"exe", names, []string{"nginx", "bin/nginx", "*", "?usr/bin/x", "/usr//bin/x",
			"/usr/../bin/x",
			"/usr/./x", "/usr/bin/", "./x", "re:nginx.*"}},
		{"exe", unseen, []string{"/opt/x\u202e", "/opt/a\ufe0fb", "/opt/a\u2800", " /opt/x"}},
		{"exe", replaced, []string{"/usr/bin/env", "/usr/**/setpriv", "**/landrun"}},
		{"ancestor_exe", "", []string{"/usr/bin/make", "**/make"}},
		{"ancestor_exe", names, []string{"make", "usr/bin/make"}},
		{"ancestor_exe", replaced, []string{"/usr/bin/env"}},
		{"comm", "", []string{"systemd-resolve", "*" + long[1:], "a/b c"}},
		{"comm", names, []string{"systemd-resolved", long, long + "*"}},
		{"cmdline", "", []string{"prog ", " x", "no/../rule", long}},
		{"cmdline", unseen, []string{"prog\u00a0--x", "re:a\tb"}},
		{"cgroup", "", []string{"/system.slice/**", "/", "**/x", "*/x"}},
		{"cgroup", names, []string{"system.slice/**", "/a/", "/a//b", "a*", "re:a"}},
	} {
		for _, pattern := range c.patterns {
			got := warned(t, c.key, pattern)
			text := strings.Join(got, "; ")
			if len(got) != min(1, len(c.want)) || !strings.Contains(text, c.want) {
				t.Errorf("%s %q: %s, want %q", c.key, pattern, text, c.want)
			}
		}
	}
}

// warned returns the warning of a pattern.
func warned(t *testing.T, key, pattern string) []string {
	t.Helper()
	d := &decoder{}
	before := "rules: [{name: a, match: {" + key + ": ["
	d.main(d.document(before+strconv.Quote(pattern)+"], uid: [1]}}]"), Default())
	if len(d.problems) > 0 {
		t.Fatalf("%s %q: %v", key, pattern, d.problems)
	}
	var all []string
	for _, w := range d.warnings {
		if w.Column == len(before)+1 { // others are about the key
			all = append(all, w.Message)
		}
	}
	return all
}

// occurring are texts of keys that occur.
var occurring = map[Key][]string{
	KeyUnit: {"init.scope", "a.service", "_x.scope", "a@1.socket", "lib.mount", "s.swap", "-.mount",
		"a@b@c.service", `x\x2dy.mount`, "user@5.service", "user@5/a.service", "user@5/init.scope",
		"user@1000/app-x@1.service", "user@0/dbus-:1.2-a@0.service"},
	KeySlice:     {"", "-.slice", `system-a\x2db.slice`, "user-1000.slice"},
	KeyContainer: {"", "web", "a", "0-9"},
	KeyNamespace: {"", "kube-system"},
	KeyPod:       {"", "web-0", "etcd-node1.example.org"},
	KeyExe: {"/usr/bin/nginx", "/memfd:x", "/memfd:", "/memfd:a/b", "/opt/ü /x", "/a/..b/.c/...",
		"/n\nl"},
	KeyComm:   {"", "a", "systemd-resolve", "a b\nc", "\xff\xfe"},
	KeyCgroup: {"/", "/a", "/a/b c", "/x.slice/y\n"},
}

// someLike returns a random pattern that matches a text.
func someLike(r *rand.Rand, text string) string {
	from := r.IntN(len(text) + 1)
	to := from + r.IntN(len(text)-from+1)
	if r.IntN(3) == 0 {
		some := oneOf(r, "(?s:.*)", ".*", "(?:"+regexp.QuoteMeta(text[from:to])+")?")
		return "re:" + regexp.QuoteMeta(text[:from]) + some + regexp.QuoteMeta(text[to:])
	}
	return text[:from] + oneOf(r, "*", "**", "?", "[!/]", "[a-z]*", text[from:to]) + text[to:]
}

// users reports whether a unit is one of a user's manager.
func users(unit string) bool { return strings.Contains(unit, "/") }

// No pattern that matches what occurs has the warning that it matches nothing.
func TestWarnPatternIsSound(t *testing.T) {
	const rounds = 15000
	r := rand.New(rand.NewPCG(1, 22))
	matched := map[Key]int{}
	for range rounds {
		for key, texts := range occurring {
			text := oneOf(r, texts...)
			p, err := ParsePattern(someLike(r, text))
			if err != nil || !p.Match(text) {
				continue
			}
			if key == KeyUnit && users(text) && !strings.HasPrefix(p.prefix, "user@") {
				continue // see unitLevel
			}
			matched[key]++
			if !p.canBe(&namingFor(key, &p).texts) {
				t.Fatalf("%s %q matches %q", key, p.text, text)
			}
		}
	}
	for key := range occurring {
		if matched[key] < 1000 {
			t.Errorf("%s: only %d patterns that match: this says little", key, matched[key])
		}
	}
}

// What is in a container is in no unit.
func TestWarnContainerInUnit(t *testing.T) {
	for _, match := range []string{"container: [web]", `container: ["*"]`, `pod: ["**"]`,
		`namespace: [shop], pod: ["re:|web"]`} {
		c := load(t, "rules: [{name: a, match: {unit: [a.service], "+match+"}}]")
		if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Message, "matches nothing") {
			t.Errorf("%s: %v", match, c.Warnings)
		}
	}
}
