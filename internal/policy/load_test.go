// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
)

// example is the one of the documentation with every key.
const example = `
rule_files: [rules.d/*.yml]
defaults: {grace: 5s, severity: info}
assets:
  - {name: secrets, paths: [/etc/shadow, "/etc/ssh/*_key"], access: [read]}
  - {name: runtime, unix: [/run/docker.sock]}
  - {name: ssh, tcp: [22], access: [connect]}
  - {name: outside, signal: true, abstract_unix: true}
exempt:
  - {unit: [init.scope]}
rules:
  - name: resolver
    match: {unit: [systemd-resolved.service]}
    except: [{main: true}]
    expect:
      state: [sandboxed, partial]
      min_depth: 2
      max_depth: 3
      restricts: [fs.write_file, "net.*", scope.signal]
      out_of_reach: [ssh, secrets]
      on_old_kernel: violation
      effective: false
      outside_workers: allow
    grace: 1m30s
    min_processes: 1
    severity: critical
  - name: everything
    match:
      unit: [a]
      slice: [b]
      exe: ["/usr/**"]
      comm: ["re:c+"]
      cmdline: [d]
      cgroup: ["/e/**"]
      uid: [0, 1000-1999, "7"]
      main: false
      mntns: any
  - name: container
    match: {container: ["*"], namespace: [x], pod: ["y-*"]}
`

// write writes files below a new directory and returns the path of "main.yml".
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "main.yml")
}

func load(t testing.TB, text string) *Config {
	t.Helper()
	c, err := Load(write(t, map[string]string{"main.yml": text}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoad(t *testing.T) {
	main := write(t, map[string]string{
		"main.yml":         example,
		"rules.d/b.yml":    "rules: [{name: b, match: {main: true}, grace: 0}]",
		"rules.d/a.yml":    "rules: [{name: a, match: {main: true}}]\n",
		"rules.d/.c.yml":   "this is not read: {",
		"rules.d/d.yml~":   "nor this: {",
		"rules.d/none.yml": "# nothing\n",
	})
	c, err := Load(main)
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, r := range c.Rules {
		rules = append(rules, fmt.Sprintf("%s %v %s", r.Name, r.Grace, r.Severity))
	}
	want := []string{"resolver 1m30s critical", "everything 5s info", "container 5s info", "a 5s info", "b 0s info"}
	if !slices.Equal(rules, want) {
		t.Errorf("rules %q, want %q", rules, want)
	}
	var files []string
	for _, f := range c.Files {
		files = append(files, strings.TrimPrefix(f, filepath.Dir(main)))
	}
	if want := []string{"/main.yml", "/rules.d/a.yml", "/rules.d/b.yml", "/rules.d/none.yml"}; !slices.Equal(files, want) {
		t.Errorf("files %q, want %q", files, want)
	}
	if want := []string{filepath.Dir(main) + "/rules.d/*.yml"}; !slices.Equal(c.Patterns, want) {
		t.Errorf("patterns %q, want %q", c.Patterns, want)
	}
	r := c.Rules[0]
	if x := r.Expect; !x.Partial || x.MinDepth != 2 || x.MaxDepth != 3 || x.Free || !x.OldKernelViolates ||
		!x.Ineffective || x.OutsideWorkers != OutsideAllowed || !slices.Equal(x.Restricts, []string{"fs.write_file", "net.*", "scope.signal"}) {
		t.Errorf("expect %+v", x)
	}
	if r.MinProcesses != 1 || len(r.Except) != 1 || r.Except[0].Main == nil || !*r.Except[0].Main || r.Line != 12 {
		t.Errorf("rule %+v", r)
	}
	wantAssets := []domainid.Asset{
		{Name: "secrets", Paths: []string{"/etc/shadow", "/etc/ssh/*_key"}, Read: true},
		{Name: "runtime", Unix: []string{"/run/docker.sock"}},
		{Name: "ssh", TCP: []uint16{22}, Connect: true},
		{Name: "outside", Signal: true, AbstractUnix: true},
	}
	same := func(a, b domainid.Asset) bool { return a.Equal(&b) }
	if !slices.EqualFunc(c.Assets, wantAssets, same) {
		t.Errorf("assets %+v, want %+v", c.Assets, wantAssets)
	}
	asked := []domainid.Asset{wantAssets[2], wantAssets[0]}
	if got := c.Rules[0].Expect.OutOfReach; !slices.EqualFunc(got, asked, same) {
		t.Errorf("out_of_reach %+v, want %+v", got, asked)
	}
	if len(c.Exempt) != 1 || c.Exempt[0].Patterns[KeyUnit][0].String() != "init.scope" {
		t.Errorf("exempt %+v", c.Exempt)
	}
	if want := []UIDRange{{0, 0}, {1000, 1999}, {7, 7}}; !slices.Equal(c.Rules[1].Match.UID, want) {
		t.Errorf("uid %v, want %v", c.Rules[1].Match.UID, want)
	}
	if !c.UsesCmdline() || load(t, "rules: [{name: a, match: {uid: [1]}}]").UsesCmdline() {
		t.Error("UsesCmdline is wrong")
	}
}

func TestLoadFiles(t *testing.T) {
	dir := filepath.Dir(write(t, map[string]string{
		"a/1.yml": "rules: [{name: a, match: {uid: [1]}}]", "b/1.yml": "rules: [{name: b, match: {uid: [1]}}]", "bad/1.yml": "exempt: []",
	}))
	c, err := LoadFiles([]string{dir + "/b/*.yml", dir + "/none/*.yml", dir + "/a/*.yml"})
	if err != nil || len(c.Rules) != 2 || c.Rules[0].Name != "b" || len(c.Files) != 2 || len(c.Patterns) != 3 || len(c.Warnings) != 0 || c.Hash == 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := LoadFiles([]string{dir + "/bad/*.yml"}); err == nil || !strings.HasPrefix(err.Error(), dir+"/bad/1.yml:1:1: unknown key") {
		t.Errorf("%v", err)
	}
	if c, err := LoadFiles(nil); err != nil || len(c.Rules) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing", "null", "---\n", "rules:\nexempt:\nrule_files:\n", "rules: []"} {
		c := load(t, text)
		if len(c.Rules) != 0 || c.Defaults != (Defaults{10 * time.Second, "warning"}) || c.Defaults != Default().Defaults {
			t.Errorf("%q: %+v", text, c)
		}
	}
	r := load(t, "rules: [{name: a, match: {uid: [1]}}]").Rules[0]
	if r.Grace != 10*time.Second || r.Severity != "warning" || r.MinProcesses != 0 || r.Expect.Partial || r.Expect.MinDepth != 0 {
		t.Errorf("%+v", r)
	}
}

// bad are documents with something wrong, and the message.
var bad = []struct {
	text string
	want []string
	// deep reports whether a schema does not see it.
	deep bool
}{
	{"rulez: []", []string{`1:1: unknown key "rulez": want one of rule_files, defaults, assets, exempt, rules`}, false},
	{"rules: 5", []string{`1:8: the number "5": want a list`}, false},
	{"- a", []string{`1:1: a list: want a mapping`}, false},
	{"rules: []\nrules: []", []string{`2:1: the key rules is here a second time: the first is in line 1`}, true},
	{"rules:\n- name: a\n  match: {uid: [1], uid: [2]}", []string{`3:21: the key uid is here a second time`}, true},
	{"rules: [", []string{`not YAML`}, true},
	{"a: b: c", []string{`not YAML`}, true},
	{"rules: []\n---\nrules: []", []string{`2:1: a second document`}, true},
	{"rules: []\n--- {", []string{`not YAML`}, true},
	{"rules: [{match: {uid: [1]}}]", []string{`1:9: the rule has no name`}, false},
	{"rules: [{name: a}]", []string{`1:9: the rule has no match`}, false},
	{"rules: [a]", []string{`1:9: the text "a": want a mapping`}, false},
	{"rules: [{name: A, match: {uid: [1]}}]", []string{`1:16: "A": want a name`}, false},
	{"rules: [{name: 5, match: {uid: [1]}}]", []string{`1:16: the number "5": want a name`}, false},
	{"rules: [{name: a, match: {uid: [1]}}, {name: a, match: {uid: [1]}}]", []string{`1:46: a second rule "a": the first is at`}, true},
	{"rules: [{name: a, match: {}}]", []string{`1:26: an empty match`}, false},
	{"rules: [{name: a, match: {mntns: any}}]", []string{`1:27: mntns says something of exe, ancestor_exe and comm only`}, false},
	{"rules: [{name: a, match: {mntns: host, exe: [a]}}]", []string{`1:34: "host": want any`}, false},
	{"rules: [{name: a, match: {unit: a}}]", []string{`1:33: the text "a": want a list`}, false},
	{"rules: [{name: a, match: {unit: []}}]", []string{`1:33: an empty list`}, false},
	{"rules: [{name: a, match: {unit: [5]}}]", []string{`1:34: the number "5": want text (put it in quotes)`}, false},
	{"rules: [{name: a, match: {unit: [null]}}]", []string{`1:34: nothing: want text`}, false},
	{"rules: [{name: a, match: {unit: [[a]]}}]", []string{`1:34: a list: want text`}, false},
	{`rules: [{name: a, match: {unit: [""]}}]`, []string{`1:34: "": an empty pattern`}, false},
	{`rules: [{name: a, match: {unit: ["a[b"]}}]`, []string{`1:34: "a[b": a [ without its ]`}, true},
	{`rules: [{name: a, match: {unit: ["[z-a]"]}}]`, []string{`the range z-a is empty`}, true},
	{`rules: [{name: a, match: {unit: ["re:a("]}}]`, []string{`"re:a(": not a regular expression`}, true},
	{`rules: [{name: a, match: {unit: ["re:a)|(b"]}}]`, []string{`not a regular expression`}, true},
	{`rules: [{name: a, match: {unit: ["` + strings.Repeat("x", 513) + `"]}}]`, []string{`a pattern of 513 bytes`}, false},
	{"rules: [{name: a, match: {uid: [root]}}]", []string{`1:33: the text "root": want a user ID or a range such as 1000-1999; names are not the same`}, false},
	{"rules: [{name: a, match: {uid: [-1]}}]", []string{`want a user ID`}, false},
	{"rules: [{name: a, match: {uid: [4294967295]}}]", []string{`want a user ID`}, false},
	{"rules: [{name: a, match: {uid: [9-3]}}]", []string{`want a user ID`}, true},
	{"rules: [{name: a, match: {uid: [010]}}]", []string{`want a user ID`}, true},
	{"rules: [{name: a, match: {uid: [1.5]}}]", []string{`want a user ID`}, false},
	{"rules: [{name: a, match: {main: yes}}]", []string{`the text "yes": want true or false`}, false},
	{"rules: [{name: a, match: {uid: [1]}, except: {uid: [1]}}]", []string{`1:46: a mapping: want a list`}, false},
	{"rules: [{name: a, match: {uid: [1]}, except: [{}]}]", []string{`an empty match`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: 2027-01-31}}]", []string{`1:46: accept has no reason: want until when, and why`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {reason: a}}]", []string{`1:46: accept has no until`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {}}]", []string{`1:46: accept has no until`, `1:46: accept has no reason`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: true}]", []string{`1:46: "true": want a mapping`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: 2027-01-31, reason: \"\"}}]", []string{`an empty reason: want a sentence that says why`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: 2027-01-31, reason: 5}}]", []string{`the number "5": want a sentence that says why`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: 2027-01-31, reason: " + strings.Repeat("a", 501) + "}}]", []string{`a reason of 501 bytes: want a sentence that says why, of at most 500`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: 31.1.2027, reason: a}}]", []string{`1:54: the text "31.1.2027": want a day such as 2027-01-31`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: \"2027-02-29\", reason: a}}]", []string{`1:54: the text "2027-02-29": want a day such as 2027-01-31`}, true},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: 2027-01-31T12:00:00Z, reason: a}}]", []string{`want a day such as 2027-01-31`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: 2027, reason: a}}]", []string{`the number "2027": want a day`}, false},
	{"rules: [{name: a, match: {uid: [1]}, accept: {until: 2027-01-31, reason: a, by: b}}]", []string{`unknown key "by": want one of until, reason`}, false},
	{"rules: [{name: a, match: {uid: [1], accept: {until: 2027-01-31, reason: a}}}]", []string{`accept stands beside match, in a rule, or in an item of its except`}, false},
	{"rules: [{name: a, match: {uid: [1]}, except: [{accept: {until: 2027-01-31, reason: a}}]}]", []string{`an empty match`}, false},
	{"exempt: [{uid: [1], accept: {until: 2027-01-31, reason: a}}]", []string{`accept stands beside match`}, false},
	{"rules: [{name: a, match: {uid: [1]}, short_runs: ignore}]", []string{`"ignore": want count or violation`}, false},
	{"rules: [{name: a, match: {uid: [1]}, severity: bad}]", []string{`"bad": want info, warning or critical`}, false},
	{"rules: [{name: a, match: {uid: [1]}, grace: 10}]", []string{`the number "10": want a time such as`}, false},
	{"rules: [{name: a, match: {uid: [1]}, grace: -1s}]", []string{`"-1s": want a time such as`}, false},
	{"rules: [{name: a, match: {uid: [1]}, grace: 2d}]", []string{`"2d": want a time such as 10s, 2m or 1h30m, of at most 1d`}, true},
	{"rules: [{name: a, match: {uid: [1]}, min_processes: -1}]", []string{`"-1": want a number from 0 to 1000000`}, false},
	{"rules: [{name: a, match: {uid: [1]}, min_processes: one}]", []string{`the text "one": want a number`}, false},
	{"rules: [{name: a, match: {uid: [1]}, min_processes: 99999999999999999999}]", []string{`want a number`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {depth: 1}}]", []string{`unknown key "depth"`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {min_depth: 17}}]", []string{`"17": want a number from 0 to 16`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {state: [partial]}}]", []string{`sandboxed must be among the states`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {state: [free]}}]",
		[]string{`"free": want sandboxed, partial or unsandboxed`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {state: []}}]",
		[]string{`1:54: an empty list: leave the key out`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {state: [sandboxed, unsandboxed]}}]",
		[]string{`1:54: unsandboxed must be the only state`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {state: [unsandboxed, unsandboxed]}}]",
		[]string{`unsandboxed must be the only state`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {state: [unsandboxed], min_depth: 0, " +
		"restricts: [net.*], effective: true, max_depth: 1, outside_workers: allow, on_old_kernel: skip}}]", []string{
		`1:69: min_depth asks something of a sandbox, and state: [unsandboxed] is for none`,
		`restricts asks something`, `effective asks something`, `max_depth asks something`,
		`outside_workers asks something`, `on_old_kernel asks something`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {max_depth: 0}}]",
		[]string{`"0": want a number from 1 to 16`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {max_depth: 17}}]",
		[]string{`"17": want a number from 1 to 16`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {max_depth: 2, min_depth: 3}}]",
		[]string{`1:47: max_depth 2 is less than min_depth 3`}, true},
	{"rules: [{name: a, match: {uid: [1]}, expect: {restricts: [fs.write]}}]", []string{`1:59: "fs.write" is no right`}, true},
	{`rules: [{name: a, match: {uid: [1]}, expect: {restricts: ["nat.*"]}}]`, []string{`"nat.*" matches no right`}, true},
	{`rules: [{name: a, match: {uid: [1]}, expect: {restricts: ["fs.[a"]}}]`, []string{`"fs.[a": syntax error in pattern`}, true},
	{"rules: [{name: a, match: {uid: [1]}, expect: {effective: maybe}}]", []string{`"maybe": want true or false`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {restricts: [net.*], outside_workers: skip}}]",
		[]string{`"skip": want unknown, violation or allow`}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {outside_workers: allow}}]",
		[]string{"1:47: outside_workers needs restricts or out_of_reach beside it"}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {on_old_kernel: violation}}]",
		[]string{"1:47: on_old_kernel needs restricts beside it"}, false},
	{"rules: [{name: a, match: {uid: [1]}, expect: {restricts: [net.*], on_old_kernel: warn}}]",
		[]string{`"warn": want skip or violation`}, false},
	{"defaults: {state: [sandboxed]}", []string{`unknown key "state": want one of grace, severity`}, false},
	{"defaults:", []string{`nothing: want a mapping`}, false},
	{"assets: 5", []string{`1:9: the number "5": want a list`}, false},
	{"assets: [a]", []string{`1:10: the text "a": want a mapping`}, false},
	{"assets: [{signal: true}]", []string{`1:10: the asset has no name`}, false},
	{"assets: [{name: A, signal: true}]", []string{`1:17: "A": want a name of 1 to 63`}, false},
	{"assets: [{name: a}]", []string{`1:10: the asset is nothing: want paths, unix, tcp, signal or abstract_unix`}, false},
	{"assets: [{name: a, signal: false}]", []string{`1:10: the asset is nothing`}, false},
	{"assets: [{name: a, signal: true}, {name: a, signal: true}]", []string{`1:42: a second asset "a": the first is at `}, true},
	{"assets: [{name: a, path: [/a]}]", []string{`1:20: unknown key "path": want one of name, paths,`, `the asset is nothing`}, false},
	{"assets: [{name: a, paths: [/a]}]", []string{`1:20: paths needs access beside it, of read or write`}, false},
	{"assets: [{name: a, tcp: [1]}]", []string{`1:20: tcp needs access beside it, of connect or bind`}, false},
	{"assets: [{name: a, paths: [/a], access: [connect]}]", []string{`paths needs access`, `1:33: access of connect or bind needs tcp beside it`}, false},
	{"assets: [{name: a, tcp: [1], access: [bind, write]}]", []string{`access of read or write needs paths beside it`}, false},
	{"assets: [{name: a, signal: true, access: [read]}]", []string{`access of read or write needs paths`}, false},
	{"assets: [{name: a, paths: [/a], access: [open]}]", []string{`1:42: "open": want read, write, connect or bind`}, false},
	{"assets: [{name: a, paths: [/a], access: [read], unix: [/b]}]", []string{`1:49: unix beside paths: make two assets of them`}, false},
	{"assets: [{name: a, paths: [], access: [read]}]", []string{`1:27: an empty list`}, false},
	{"assets: [{name: a, unix: [5]}]", []string{`1:27: the number "5": want an absolute path`}, false},
	{"assets: [{name: a, unix: [run/a]}]", []string{`1:27: "run/a": want an absolute path`}, false},
	{"assets: [{name: a, unix: [/run/../a]}]", []string{`1:27: "/run/../a": want it without //, . and .., and without / at the end: "/a"`}, false},
	{"assets: [{name: a, unix: [/run/]}]", []string{`want it without //`}, false},
	{"assets: [{name: a, unix: [//run]}]", []string{`want it without //`}, false},
	{"assets: [{name: a, unix: [/run/.]}]", []string{`want it without //`}, false},
	{`assets: [{name: a, unix: ["/run/**"]}]`, []string{`1:27: "/run/**": ** is no pattern here`}, false},
	{`assets: [{name: a, unix: ["/run/[a"]}]`, []string{`1:27: "/run/[a": syntax error in pattern`}, true},
	{`assets: [{name: a, unix: ["/*/*/?"]}]`, []string{`1:27: "/*/*/?": more than 2 of its parts are patterns`}, true},
	{"assets: [{name: a, unix: [/" + strings.Repeat("a", 4095) + "]}]", []string{`it has more than 4095 bytes`}, false},
	{`assets: [{name: a, unix: ["/a\0"]}]`, []string{`or a NUL`}, true},
	{"assets: [{name: a, tcp: [0], access: [bind]}]", []string{`1:26: "0": want a number from 1 to 65535`}, false},
	{"assets: [{name: a, tcp: [65536], access: [bind]}]", []string{`want a number from 1 to 65535`}, false},
	{"assets: [{name: a, signal: yes}]", []string{`the text "yes": want true or false`, `the asset is nothing`}, false},
	{"assets: [{name: a, signal: true}]\nrules: [{name: a, match: {uid: [1]}, expect: {out_of_reach: [b]}}]",
		[]string{`2:62: "b" is no asset: want one of a`}, true},
	{"rules: [{name: a, match: {uid: [1]}, expect: {out_of_reach: [b]}}]",
		[]string{`1:62: "b" is no asset: the configuration has no assets`}, true},
	{"rules: [{name: a, match: {uid: [1]}, expect: {out_of_reach: [5]}}]",
		[]string{`1:62: the number "5": want the name of an asset`}, false},
	{"exempt: [{comm: [a]}]", []string{`a process chooses both itself`}, false},
	{"exempt: [{uid: [1], cmdline: [a]}]", []string{`a process chooses both itself`}, false},
	{"exempt: [{exe: [/a]}]", []string{`exempt by exe, ancestor_exe or main alone`}, false},
	{"exempt: [{ancestor_exe: [/a]}]", []string{`exempt by exe, ancestor_exe or main alone`}, false},
	{"exempt: [{exe: [/a], mntns: any, main: true}]", []string{`exempt by exe, ancestor_exe or main alone`}, false},
	{"exempt: [{}]", []string{`an empty match`}, false},
	{"rule_files: [5]", []string{`the number "5": want a path`}, false},
	{`rule_files: ["*/a.yml"]`, []string{`a glob can be in the last part of the path only`}, true},
	{`rule_files: ["[.yml"]`, []string{`syntax error in pattern`}, true},
	{"rule_files: [absent.yml]", []string{`1:14: reading rules: open `}, true},
	{"rule_files: [.]", []string{`not a regular file`}, true},
	{"rules: &x [*x]", []string{`1:12: an alias`}, true},
	{"a: &a [x,x]\nb: &b [*a,*a]\nrules: [*b]", []string{`1:1: unknown key`, `2:1: unknown key`, `3:9: an alias`}, false},
	{"rules: [{<<: {name: a}, match: {uid: [1]}}]", []string{`unknown key "<<"`, `has no name`}, true},
	{"rules: [{name: a, match: {uid: [1], ? [a] : b}}]", []string{`unknown key`}, true},
	{"rules: !x []", []string{`want a list`}, true},
	{
		"rules:\n- name: a\n  macth: {unit: [a]}\n- name: b\n  match: {unit: [a], uid: [x]}\n  severity: 5\n",
		[]string{`3:3: unknown key "macth"`, `2:3: the rule has no match`, `5:28: the text "x"`, `6:13: the number "5"`}, false,
	},
}

func TestBad(t *testing.T) {
	for _, c := range bad {
		main := write(t, map[string]string{"main.yml": c.text})
		got, err := Load(main)
		var all *LoadError
		if !errors.As(err, &all) || got != nil {
			t.Errorf("%s\nerror %v", c.text, err)
			continue
		}
		if len(all.Problems) != len(c.want) {
			t.Errorf("%s\nproblems:\n%v\nwant %q", c.text, err, c.want)
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(all.Problems) {
			t.Errorf("%s\n%d problems on %d lines", c.text, len(all.Problems), len(lines))
		}
		for _, want := range c.want {
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, main+":") && strings.Contains(l, want) }) {
				t.Errorf("%s\nno line with %q in\n%v", c.text, want, err)
			}
		}
	}
}

// A problem names the file that it is in, and the problems of all files are reported.
func TestBadRuleFiles(t *testing.T) {
	main := write(t, map[string]string{
		"main.yml": "rule_files: [a.yml, b.yml, a.yml, main.yml]\nrules: [{name: x, match: {uid: [1]}}]\n",
		"a.yml":    "rules:\n- {name: x, match: {uid: [1]}}\n",
		"b.yml":    "exempt: [{uid: [1]}]\nrules: [{name: y}]",
	})
	dir := filepath.Dir(main)
	_, err := Load(main)
	want := dir + "/b.yml:1:1: unknown key \"exempt\": want one of assets, rules\n" +
		dir + "/b.yml:2:9: the rule has no match\n" +
		dir + "/a.yml:2:10: a second rule \"x\": the first is at " + main + ":2"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, maxFileSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "absent"): "no such file", dir: "not a regular file", fifo: "not a regular file",
		"/dev/zero": "not a regular file", big: "more than 4194304 bytes",
	} {
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// What comes by a pipe is read as a file is, once.
func TestRead(t *testing.T) {
	c, err := Read("standard input", strings.NewReader("rules: [{name: a, match: {uid: [1]}}]"))
	if err != nil || len(c.Rules) != 1 || !slices.Equal(c.Files, []string{"standard input"}) {
		t.Errorf("%+v, %v", c, err)
	}
	for text, want := range map[string]string{
		"rule: []":                         `standard input:1:1: unknown key "rule"`,
		strings.Repeat(" ", maxFileSize+1): "standard input has more than 4194304 bytes",
	} {
		if _, err := Read("standard input", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.9q: %v, want %q", text, err, want)
		}
	}
}

func TestTooMuch(t *testing.T) {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range maxRules + 1 {
		fmt.Fprintf(&b, "- {name: r%d, match: {uid: [1]}}\n", i)
	}
	_, err := Load(write(t, map[string]string{"main.yml": b.String()}))
	if err == nil || !strings.Contains(err.Error(), ":20002:3: more than 20000 elements") {
		t.Errorf("%v", err)
	}
	_, err = Load(write(t, map[string]string{"main.yml": "rules: [{name: a, match: {uid: [" + strings.Repeat("1,", maxItems) + "1]}}]"}))
	if err == nil || !strings.Contains(err.Error(), "more than 1000 elements") {
		t.Errorf("%v", err)
	}
	_, err = Load(write(t, map[string]string{"main.yml": "rules:\n" + strings.Repeat("- {x: 1, match: {y: 1}}\n", 200)}))
	if err == nil || strings.Count(err.Error(), "\n") != maxShown || !strings.Contains(err.Error(), "\nand 500 more") {
		t.Errorf("%v", err)
	}
}

func TestWarnings(t *testing.T) {
	c := load(t, `
rule_files: [nothing/*.yml]
rules:
- {name: a, match: {comm: [a]}}
- {name: b, match: {unit: [a.service]}, except: [{cmdline: [a]}]}
- {name: c, match: {exe: [/a], mntns: any}}
- {name: d, match: {cgroup: ["**/x"]}}
- {name: e, match: {unit: [a.service], container: [b]}}
- {name: f, match: {unit: [a.service], cgroup: ["/a/**", a], exe: ["/**"]}}
`)
	var got []string
	for _, w := range c.Warnings {
		got = append(got, fmt.Sprintf("%d:%d", w.Line, w.Column))
	}
	if want := []string{"4:21", "5:51", "6:32", "7:21", "8:21", "9:58", "2:14"}; !slices.Equal(got, want) {
		t.Errorf("warnings at %v, want %v: %v", got, want, c.Warnings)
	}
}

func TestHash(t *testing.T) {
	hash := func(a, b string) uint64 {
		c, err := Load(write(t, map[string]string{"main.yml": a, "a.yml": b}))
		if err != nil {
			t.Fatal(err)
		}
		return c.Hash
	}
	const a, b = "rule_files: [a.yml]\n", "rules: []\n"
	again := hash(a, b) // in another directory
	if hash(a, b) != again || hash(a, b+"\n") == again || hash(a+"\n", b) == again {
		t.Error("the hash does not follow the contents")
	}
	// All of it must fit in a metric.
	if h := hash(a, b); h == 0 || uint64(float64(h)) != h || h >= 1<<48 {
		t.Errorf("hash %x", h)
	}
}

func TestParseExpect(t *testing.T) {
	x, err := ParseExpect("state=sandboxed,partial, min_depth=2,restricts=fs.write_file,net.*,on_old_kernel=violation," +
		"effective=false,outside_workers=violation")
	if err != nil || !x.Partial || x.MinDepth != 2 || !x.OldKernelViolates ||
		!x.Ineffective || x.OutsideWorkers != OutsideViolates || !slices.Equal(x.Restricts, []string{"fs.write_file", "net.*"}) {
		t.Errorf("%+v, %v", x, err)
	}
	if x, err := ParseExpect("min_depth=1,effective=true"); err != nil || x.Partial || x.Ineffective || x.MinDepth != 1 {
		t.Errorf("%+v, %v", x, err)
	}
	if x, err := ParseExpect("state=unsandboxed"); err != nil || !x.Free || x.Partial {
		t.Errorf("%+v, %v", x, err)
	}
	x, err = ParseExpect("max_depth=1,min_depth=1")
	if err != nil || x.Free || x.MaxDepth != 1 || x.MinDepth != 1 {
		t.Errorf("%+v, %v", x, err)
	}
	ssh := domainid.Asset{Name: "ssh", TCP: []uint16{22}, Connect: true}
	x, err = ParseExpect("out_of_reach=ssh", ssh)
	if err != nil || len(x.OutOfReach) != 1 || !x.OutOfReach[0].Equal(&ssh) {
		t.Errorf("%+v, %v", x, err)
	}
	for text, want := range map[string]string{
		"state=unsandboxed,sandboxed":      "unsandboxed must be the only state",
		"state=unsandboxed,max_depth=2":    "max_depth asks something of a sandbox",
		"effective=true,state=unsandboxed": "effective asks something of a sandbox",
		"max_depth=0":                      "1 to 16", "max_depth=17": "1 to 16", "max_depth=": "1 to 16",
		"min_depth=3,max_depth=2": "max_depth 2 is less than min_depth 3",
		"":                        "want key=value", "sandboxed": "want key=value", "state=partial": "sandboxed must be", "state=x": "want sandboxed",
		"min_depth=17": "0 to 16", "min_depth=1,2": "want key=value", "min_depth=": "0 to 16", "restricts=fs.x": "no right", "restricts=": "nothing: want the name of a right",
		"restricts=net.*,on_old_kernel=a": `on_old_kernel: "a": want skip`, "effective=no": `effective: the text "no": want true or false`,
		"outside_workers=allow": "outside_workers needs restricts", "on_old_kernel=violation": "on_old_kernel needs restricts",
		"restricts=net.*,outside_workers=a": `outside_workers: "a": want unknown, violation or allow`, "a=b": "want one of state, effective, min_depth, max_depth, restricts, out_of_reach, on_old_kernel, " +
			"outside_workers", "state=sandboxed,state=partial": "twice", ",": "want key=value",
		"out_of_reach=b": `out_of_reach: "b" is no asset: the configuration has no assets`,
	} {
		if _, err := ParseExpect(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
