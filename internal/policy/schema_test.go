// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// good are documents without fault, beyond the examples of the documentation.
var good = []string{
	"", "rules:\n", "exempt: []", strings.Replace(example, "rule_files: [rules.d/*.yml]", "", 1),
	"exempt: [{exe: [/a], unit: [b]}, {slice: [a]}, {container: [a]}, {namespace: [a]}, {pod: [a]}, {cgroup: [a]}, {uid: [5], main: false}]",
	"defaults: {}", "defaults: {grace: 1d}", "defaults: {grace: 0, severity: critical}", "defaults: {grace: 1h30m5s10ms}", `defaults: {grace: "0"}`,
	"rules: [{name: a, match: {comm: [a], mntns: any}, expect: {}}]",
	"rules: [{name: _-0, match: {unit: [\"[*]\", \"[]]\", \"[!a-z]\", \"[^]-]\", \"re:[a-z]+\"]}}]",
	"rules: [{name: a, match: {uid: [0, 4294967294, 0-4294967294]}}]",
	"rules: [{name: a, match: {main: True}, min_processes: 1000000}]",
	"rules: [{name: a, match: {uid: [1]}, short_runs: count}, {name: b, match: {uid: [1]}, short_runs: violation}]",
	"rules: [{name: a, match: {uid: [1]}, expect: {restricts: [fs.bit31, \"*\", \"*.bind_*\"], min_depth: 16}}]",
	"rules: [{name: a, match: {uid: [1]}, expect: {state: [unsandboxed]}}]",
	"rules: [{name: a, match: {uid: [1]}, expect: {state: [partial, sandboxed], min_depth: 16, " +
		"max_depth: 16}}]",
	"rules: [{name: a, match: {uid: [1]}, accept: {until: 2027-01-31, reason: a b}}]",
	"rules: [{name: a, match: {uid: [1]}, except: [{uid: [0], accept: {until: \"2028-02-29\", reason: b}}]}]",
	"rules: &unused []",
	"assets: []", "assets:",
	"assets: [{name: a, paths: [/, \"/home/*/.ssh/*_key\", /...], access: [write, read]}]",
	"assets: [{name: a, tcp: [1, 65535], access: [bind, connect], signal: true}]",
	"assets: [{name: a, unix: [/run/a], tcp: [1], access: [bind]}]",
	"assets: [{name: a, abstract_unix: true}]\nrules: [{name: a, match: {uid: [1]}, expect: " +
		"{out_of_reach: [a], outside_workers: allow}}]",
}

// schemaAccepts reports whether a document is valid by the JSON Schema.
func schemaAccepts(t testing.TB, schema *jsonschema.Schema, text string) bool {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	// Numbers as a JSON reader has them.
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value) == nil
}

func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/rules-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// The schema accepts what is right, and of what is wrong all but what only a
// program can see.
func TestSchemaAgrees(t *testing.T) {
	schema := compileSchema(t)
	for _, text := range good {
		load(t, text)
		if !schemaAccepts(t, schema, text) {
			t.Errorf("the schema refuses\n%s", text)
		}
	}
	for _, c := range bad {
		if !c.deep && schemaAccepts(t, schema, c.text) {
			t.Errorf("the schema accepts\n%s", c.text)
		}
	}
}
