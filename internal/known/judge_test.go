// SPDX-License-Identifier: Apache-2.0

package known

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
	"github.com/landlockd/landlockd/test/schemas"
)

// some are known programs of each kind.
const some = `programs:
  - name: always
    what: sandboxes itself
    when: default
    who: process
    since: "2.0"
    match: {exe: [/usr/bin/always]}
    expect: {restricts: [fs.write_file]}
    paths: [/usr/bin/always]
    deb: [always]
    off: --no-sandbox
    untested: made up
  - name: optional
    what: sandboxes itself if asked to
    when: optional
    who: process
    match: {exe: [/usr/bin/optional]}
    on: sandbox = yes
    paths: [/usr/bin/optional]
    checked: {version: "1", kernel: "6.18", date: 2026-11-29}
    tests: [optional]
  - name: threads
    what: has threads
    when: default
    who: thread
    abi: 8
    match: {exe: [/usr/bin/threads]}
    expect: {state: [sandboxed, partial]}
    untested: made up
  - name: agent
    what: runs commands
    when: default
    who: child
    until: "3.0"
    match: {ancestor_exe: ["/**/agent/bin/agent"]}
    npm: agent
    checked: {version: "2.0", kernel: "6.18", date: 2026-11-29}
    untested: made up
  - name: launch
    what: starts programs
    when: launcher
    who: process
    since: "2.40"
    paths: [/usr/bin/launch]
    on: launch PROGRAM
    untested: made up
`

func programs(t testing.TB) []policy.Known {
	t.Helper()
	file := filepath.Join(t.TempDir(), "some.yml")
	if err := os.WriteFile(file, []byte(some), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := policy.LoadKnown([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fixture is a host with two domains: one that restricts writing, and one that restricts
// nothing of files.
type fixture struct {
	*hosts.Host
	good, weak, free scan.Task
}

func newFixture() *fixture {
	h := hosts.New()
	h.Uptime = time.Hour
	f := &fixture{Host: h, free: hosts.Free()}
	f.good = hosts.In(h.Domain(1, domainid.Outermost))
	f.weak = hosts.In(h.Domain(2, domainid.Outermost))
	h.Domains[f.weak.Domain].Handled = access.Rights{access.Net: 3}
	return f
}

// run adds a process of a file of the host.
func (f *fixture) run(pid, ppid int32, exe string, tasks ...scan.Task) *scan.Process {
	p := f.Process(pid, ppid, "x", tasks...)
	p.Exe, p.ExeOrigin = exe, scan.OfHost
	return p
}

func TestJudge(t *testing.T) {
	always := func(version string) map[string][]Installed {
		return map[string][]Installed{"always": {{"/usr/bin/always", "always", version + "-1", version}}}
	}
	agent := func(version string) map[string][]Installed {
		return map[string][]Installed{"agent": {{"/usr/lib/node_modules/agent", "agent", version, version}}}
	}
	only := func(name, path string) map[string][]Installed {
		return map[string][]Installed{name: {{Path: path}}}
	}
	const agentExe = "/usr/lib/node_modules/agent/bin/agent"
	for name, c := range map[string]struct {
		make      func(f *fixture)
		installed map[string][]Installed
		want      string
		counts    Counts
		says      string
	}{
		"nothing": {want: ""},
		"as known": {
			make:   func(f *fixture) { f.run(10, 1, "/usr/bin/always", f.good) },
			want:   "always sandboxed",
			counts: Counts{Sandboxed: 1},
		},
		"not though it should": {
			make:      func(f *fixture) { f.run(10, 1, "/usr/bin/always", f.free); f.run(11, 1, "/usr/bin/always", f.good) },
			installed: always("2.1"),
			want:      "always missing",
			counts:    Counts{Sandboxed: 1, Unsandboxed: 1},
			says:      "keeps it off: --no-sandbox",
		},
		"too old": {
			make:      func(f *fixture) { f.run(10, 1, "/usr/bin/always", f.free) },
			installed: always("1.9"),
			want:      "always other_version",
			counts:    Counts{Unsandboxed: 1},
			says:      "2.0 and later do",
		},
		"of a version that is not known": {
			make:      func(f *fixture) { f.run(10, 1, "/usr/bin/always", f.free) },
			installed: only("always", "/usr/bin/always"),
			want:      "always unknown",
			counts:    Counts{Unsandboxed: 1},
			says:      "2.0 and later do",
		},
		"replaced since it was started": {
			make:      func(f *fixture) { f.run(10, 1, "/usr/bin/always", f.free).ExeDeleted = true },
			installed: always("2.1"),
			want:      "always unknown",
			counts:    Counts{Unsandboxed: 1},
		},
		"in a container": {
			make:      func(f *fixture) { f.run(10, 1, "/usr/bin/always", f.free).ExeOrigin = scan.OfImage },
			installed: always("2.1"),
			want:      "always unknown",
			counts:    Counts{Unsandboxed: 1},
			says:      "1 of them from a file that is not the host's",
		},
		"too young": {
			make: func(f *fixture) {
				f.run(10, 1, "/usr/bin/always", f.free).Start = uint64(f.Uptime - time.Second)
			},
			installed: always("2.1"),
			want:      "always unknown",
			counts:    Counts{Starting: 1},
			says:      "too young",
		},
		"not to be looked at": {
			make:   func(f *fixture) { f.run(10, 1, "/usr/bin/always", hosts.Unknown(scan.Denied)) },
			want:   "always unknown",
			counts: Counts{Unknown: 1},
			says:   "of 1 process it is not known",
		},
		"restricts less": {
			make:   func(f *fixture) { f.run(10, 1, "/usr/bin/always", f.weak) },
			want:   "always weaker",
			counts: Counts{Weaker: 1},
			says:   "not restricted in all rights",
		},
		"installed": {installed: always("2.1"), want: "always not_running"},
		"installed, too old": {
			installed: always("1.9"), want: "always other_version", says: "2.0 and later do",
		},
		"installed, of no known version": {
			installed: only("always", "/usr/bin/always"), want: "always not_running", says: "is not known",
		},
		"off": {
			make:   func(f *fixture) { f.run(10, 1, "/usr/bin/optional", f.free) },
			want:   "optional off",
			counts: Counts{Unsandboxed: 1},
			says:   "to switch it on: sandbox = yes",
		},
		"on": {
			make:   func(f *fixture) { f.run(10, 1, "/usr/bin/optional", f.good, f.good) },
			want:   "optional sandboxed",
			counts: Counts{Sandboxed: 1},
		},
		"on for some": {
			make: func(f *fixture) {
				f.run(10, 1, "/usr/bin/optional", f.free)
				f.run(11, 1, "/usr/bin/optional", f.good)
			},
			want:   "optional partial",
			counts: Counts{Sandboxed: 1, Unsandboxed: 1},
			says:   "1 of 2 processes: in no domain",
		},
		"installed, and off unless asked for": {
			installed: only("optional", "/usr/bin/optional"), want: "optional not_running", says: "to switch it on",
		},
		"some threads, by this kernel": {
			make:   func(f *fixture) { f.run(10, 1, "/usr/bin/threads", f.good, f.free) },
			want:   "threads partial",
			counts: Counts{Partial: 1},
			says:   "ABI 8 on (this kernel: 7)",
		},
		"some threads, without need": {
			make: func(f *fixture) {
				f.run(10, 1, "/usr/bin/threads", f.good, f.free)
				f.Kernel.ABI = 8
			},
			want:   "threads partial",
			counts: Counts{Partial: 1},
			says:   "and it did not",
		},
		"children, and not itself": {
			make: func(f *fixture) {
				f.run(10, 1, agentExe, f.free)
				f.run(11, 10, "/usr/bin/sh", f.good)
			},
			installed: agent("2.0"),
			want:      "agent sandboxed",
			counts:    Counts{Sandboxed: 1},
		},
		"some children": {
			make: func(f *fixture) {
				f.run(10, 1, agentExe, f.free)
				f.run(11, 10, "/usr/bin/sh", f.good)
				f.run(12, 10, "/usr/bin/node", f.free)
			},
			installed: agent("2.0"),
			want:      "agent partial",
			counts:    Counts{Sandboxed: 1, Unsandboxed: 1},
		},
		"no child": {
			make: func(f *fixture) {
				f.run(10, 1, agentExe, f.free)
				f.run(12, 10, "/usr/bin/sh", f.free)
			},
			installed: agent("2.0"),
			want:      "agent missing",
			counts:    Counts{Unsandboxed: 1},
			says:      "sandboxes what it starts",
		},
		"no longer": {
			make: func(f *fixture) {
				f.run(10, 1, agentExe, f.free)
				f.run(12, 10, "/usr/bin/sh", f.free).ExeOrigin = scan.OfUser
			},
			installed: agent("3.1"),
			want:      "agent other_version",
			counts:    Counts{Unsandboxed: 1},
			says:      "3.0 and later do not",
		},
		"between what was looked at": {
			make: func(f *fixture) {
				f.run(10, 1, agentExe, f.free)
				f.run(12, 10, "/usr/bin/sh", f.free)
			},
			installed: agent("2.5"),
			want:      "agent unknown",
			counts:    Counts{Unsandboxed: 1},
		},
		"a launcher": {
			installed: map[string][]Installed{"launch": {{"/usr/bin/launch", "p", "2.41", "2.41"}}},
			want:      "launch launcher", says: "to use it: launch PROGRAM",
		},
		"a launcher that cannot": {
			installed: map[string][]Installed{"launch": {{"/usr/bin/launch", "p", "2.38", "2.38"}}},
			want:      "launch other_version",
		},
		"no Landlock": {
			make: func(f *fixture) {
				f.run(10, 1, "/usr/bin/always", f.free)
				f.Kernel.Landlock = scan.Disabled
			},
			installed: always("2.1"),
			want:      "always impossible",
			counts:    Counts{Unsandboxed: 1},
		},
	} {
		f := newFixture()
		f.run(1, 0, "/usr/bin/init", f.free)
		if c.make != nil {
			c.make(f)
		}
		got := Judge(&f.Snapshot, programs(t), c.installed)
		var text []string
		for i := range got {
			text = append(text, got[i].Name+" "+got[i].Verdict.String())
		}
		if strings.Join(text, ", ") != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
			continue
		}
		if len(got) == 1 && (got[0].Processes != c.counts || !strings.Contains(got[0].words(), c.says)) {
			t.Errorf("%s: %+v, want %+v: %s", name, got[0].Processes, c.counts, got[0].words())
		}
	}
}

// TestOrder: the worst is first.
func TestOrder(t *testing.T) {
	f := newFixture()
	f.run(1, 0, "/usr/bin/init", f.free)
	f.run(10, 1, "/usr/bin/always", f.good)
	f.run(20, 1, "/usr/bin/optional", f.free)
	f.run(30, 1, "/usr/bin/threads", f.good, f.free)
	var names []string
	for _, p := range Judge(&f.Snapshot, programs(t), nil) {
		names = append(names, p.Name)
	}
	if want := []string{"threads", "optional", "always"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
}

// TestNoneIsNotFine: where nothing known is, that is said, and no more.
func TestNoneIsNotFine(t *testing.T) {
	var b bytes.Buffer
	if err := Text(&b, &Report{Known: 5, NotLooked: "no\nreason"}, table.Style{}); err != nil {
		t.Fatal(err)
	}
	want := "None known here: 5 programs are known, and none was seen to run or found installed.\n" +
		"Others may well sandbox themselves: landlockd services\n" +
		"Not all that may be installed was looked for: no reason\n"
	if b.String() != want {
		t.Errorf("%q, want\n%q", b.String(), want)
	}
}

// TestRandomHosts: what is written of any host has the form of the schema, does nothing to a
// terminal, and is a rule file that is right.
func TestRandomHosts(t *testing.T) {
	schema := schemas.Strict(t, "../../docs/schema", "known-v1.json")
	all := programs(t)
	r := rand.New(rand.NewPCG(3, 4))
	verdicts := map[Verdict]bool{}
	for range 100 {
		h := hosts.RandomNames(r, r.IntN(30))
		exes := []string{"/usr/bin/always", "/usr/bin/optional", "/usr/bin/threads", "/usr/lib/agent/bin/agent"}
		for i := range h.Processes {
			if p := &h.Processes[i]; r.IntN(2) == 0 {
				p.Exe, p.ExeOrigin = exes[r.IntN(len(exes))], scan.Origin(r.IntN(4))
			}
		}
		installed := map[string][]Installed{}
		if r.IntN(2) == 0 {
			installed["always"] = []Installed{{"/usr/bin/always", "p\x1b[2J", "1\u202e", "1"}}
			installed["launch"] = []Installed{{Path: "/usr/bin/launch"}}
		}
		report := &Report{Judge(&h.Snapshot, all, installed), len(all), "\x1b[2J"}
		for i := range report.Programs {
			verdicts[report.Programs[i].Verdict] = true
		}
		var text, js, rules bytes.Buffer
		for _, style := range []table.Style{{Width: 80}, {ASCII: true, Width: 1}} {
			if err := Text(&text, report, style); err != nil {
				t.Fatal(err)
			}
		}
		if err := JSON(&js, &h.Snapshot, report, "scan"); err != nil {
			t.Fatal(err)
		}
		if err := Rules(&rules, &h.Snapshot, report); err != nil {
			t.Fatal(err)
		}
		for _, b := range []*bytes.Buffer{&text, &js, &rules} {
			hosts.CheckSafe(t, b.String())
		}
		value, err := jsonschema.UnmarshalJSON(&js)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Error(err)
		}
		if _, err := policy.Read("rules", &rules); err != nil {
			t.Error(err)
		}
	}
	if len(verdicts) < 5 {
		t.Errorf("only %d verdicts came up", len(verdicts))
	}
}
