// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const knownDir = "../../deploy/known.d"

// wholeProgram has every key but untested.
const wholeProgram = `programs:
  - name: a
    what: does things
    when: optional
    who: thread
    since: "1.0~rc1"
    until: "2.0"
    abi: 8
    match: {exe: [/usr/bin/a, "re:/opt/a[0-9]+"], main: false, uid: [0-999]}
    expect: {state: [sandboxed, partial], restricts: [fs.write_file]}
    sometimes: [net.bind_tcp]
    paths: [/usr/bin/a]
    deb: [a-b, libc6+]
    npm: "@a/b"
    on: "a --landlock: yes"
    off: a --no-landlock
    checked: {version: "1.2", kernel: "6.18", date: 2026-11-29}
    tests: ["a, b"]
`

func loadKnown(t testing.TB, texts ...string) ([]Known, []Problem) {
	t.Helper()
	dir := t.TempDir()
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, string(rune('a'+i))+".yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := LoadKnown([]string{filepath.Join(dir, "*.yml")})
	var load *LoadError
	if err != nil && !errors.As(err, &load) {
		t.Fatal(err)
	}
	if load != nil {
		return all, load.Problems
	}
	return all, nil
}

// What is shipped is right, to the schema too; each program has a rule that is; and as a rule
// file none of it is read.
func TestShippedKnown(t *testing.T) {
	files, err := filepath.Glob(knownDir + "/*.yml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	schema := compileKnownSchema(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !schemaAccepts(t, schema, string(text)) {
			t.Errorf("the schema refuses %s", file)
		}
		if _, err := Load(file); err == nil {
			t.Errorf("%s is read as a configuration", file)
		}
	}
	all, err := LoadKnown([]string{knownDir + "/*.yml"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		k := &all[i]
		for _, w := range load(t, ruleOf(k)).Warnings {
			t.Errorf("%s: %s", k.Name, w)
		}
	}
}

func ruleOf(k *Known) string {
	text := "rules: [{name: a, match: {uid: [1]}}]"
	if k.Matches() {
		text = "rules:\n  - name: " + k.Name + "\n" + k.RuleText(4)
	}
	return text
}

func TestKnownIsRead(t *testing.T) {
	all, problems := loadKnown(t, wholeProgram, "", "programs:\n")
	if len(problems) > 0 || len(all) != 1 {
		t.Fatalf("%d programs, %v", len(all), problems)
	}
	k := &all[0]
	if k.Name != "a" || k.When != Optional || k.Who != Thread || k.Since != "1.0~rc1" || k.Until != "2.0" ||
		k.ABI != 8 || len(k.Match.Patterns[KeyExe]) != 2 || !k.Expect.Partial || k.NPM != "@a/b" ||
		!slices.Equal(k.Sometimes, []string{"net.bind_tcp"}) || !slices.Equal(k.Debs, []string{"a-b", "libc6+"}) ||
		k.On != "a --landlock: yes" || k.Off != "a --no-landlock" || k.Checked.Version != "1.2" ||
		k.Checked.Date.Day() != 29 || !slices.Equal(k.Tests, []string{"a, b"}) || k.Line != 2 {
		t.Errorf("%+v", k)
	}
	want := "    match: {exe: [/usr/bin/a, \"re:/opt/a[0-9]+\"], main: false, uid: [\"0-999\"]}\n" +
		"    expect: {state: [sandboxed, partial], restricts: [fs.write_file]}\n"
	if got := k.RuleText(4); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	r := load(t, ruleOf(k)).Rules[0]
	if len(r.Match.UID) != 1 || r.Match.Main == nil || *r.Match.Main || !r.Expect.Partial {
		t.Errorf("%+v", r)
	}
}

// TestKnownIsStrict: what is wrong is refused, and by the schema too unless only a program can
// see it.
func TestKnownIsStrict(t *testing.T) {
	schema := compileKnownSchema(t)
	if !schemaAccepts(t, schema, wholeProgram) {
		t.Error("the schema refuses what is right")
	}
	for _, c := range []struct {
		old, new, want string
		deep           bool
	}{
		{"programs:", "rules:", "unknown key", false},
		{"    what: does things\n", "", "has no what", false},
		{"    who: thread\n", "", "has no who", false},
		{"what: does", "color: does", "unknown key", false},
		{"what: does things", "what: \"a\\nb\"", "text of one line", true},
		{"what: does things", "what: ''", "text of one line", false},
		{"when: optional", "when: always", "want default, optional or launcher", false},
		{"when: optional", "when: default", "on is for", false},
		{"    on: \"a --landlock: yes\"\n", "", "on is for", false},
		{"who: thread", "who: all", "want process, child or thread", false},
		{`since: "1.0~rc1"`, "since: 1.0", "want a version", false},
		{`until: "2.0"`, "until: two", "want a version", false},
		{"abi: 8", "abi: 0", "from 1 to", false},
		{"restricts: [fs.write_file]", `restricts: ["fs.*"]`, "want the names of rights", false},
		{"restricts: [fs.write_file]", "restricts: [fs.wirte_file]", "is no right", true},
		{"restricts: [fs.write_file]", "out_of_reach: [a]", "out_of_reach", false},
		{"state: [sandboxed, partial], ", "", "state: [sandboxed, partial]", false},
		{"{state: [sandboxed, partial], restricts: [fs.write_file]}", "{state: [unsandboxed]}", "unsandboxed", false},
		{"sometimes: [net.bind_tcp]", "sometimes: [net.*]", "want the name of a right", false},
		{"exe: [/usr/bin/a, \"re:/opt/a[0-9]+\"], ", "exes: [/usr/bin/a], ", "unknown key", false},
		{"paths: [/usr/bin/a]", "paths: [usr/bin/a]", "absolute path", false},
		{"paths: [/usr/bin/a]", `paths: ["/usr/*/a"]`, "absolute path", false},
		{"paths: [/usr/bin/a]", "paths: [/usr/../a]", "without ..", false},
		{"paths: [/usr/bin/a]", "paths: [/home/./a]", "without .", false},
		{"deb: [a-b,", "deb: [../a,", "name of a package", false},
		{`npm: "@a/b"`, `npm: "@a/../b"`, "name of a package", false},
		{"date: 2026-11-29", "date: soon", "want a date", false},
		{`kernel: "6.18", `, "", "checked has no kernel", false},
		{`    tests: ["a, b"]` + "\n", "", "want either tests, or untested", false},
		{"tests: [", "untested: nobody did\n    tests: [", "want either tests, or untested", false},
		{"    checked: {version: \"1.2\", kernel: \"6.18\", date: 2026-11-29}\n", "", "no checked", false},
	} {
		if !strings.Contains(wholeProgram, c.old) {
			t.Fatalf("there is no %q", c.old)
		}
		text := strings.Replace(wholeProgram, c.old, c.new, 1)
		all, problems := loadKnown(t, text)
		if all != nil || !slices.ContainsFunc(problems, func(p Problem) bool {
			return strings.Contains(p.Message, c.want) && p.Line > 0
		}) {
			t.Errorf("%q: %v, want %q", c.new, problems, c.want)
		}
		if !c.deep && schemaAccepts(t, schema, text) {
			t.Errorf("the schema accepts %q", c.new)
		}
	}
	if _, problems := loadKnown(t, wholeProgram, wholeProgram); len(problems) != 1 ||
		!strings.Contains(problems[0].Message, "a second program") {
		t.Errorf("%v", problems)
	}
	if _, err := LoadKnown([]string{"/nonexistent/known.yml"}); err == nil {
		t.Error("a file that is not there has programs")
	}
}

func compileKnownSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/known-programs-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
