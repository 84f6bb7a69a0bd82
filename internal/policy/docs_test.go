// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"os"
	"strings"
	"testing"
)

// Each example of the documentation is loaded, and is right to the schema too.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	assets, err := os.ReadFile("../../docs/assets.md")
	if err != nil {
		t.Fatal(err)
	}
	cookbook, err := os.ReadFile("../../docs/cookbook.md")
	if err != nil {
		t.Fatal(err)
	}
	schema := compileSchema(t)
	blocks := strings.Split(string(text)+string(readme)+string(assets)+string(cookbook), "```yaml\n")[1:]
	for _, b := range blocks {
		example, _, ok := strings.Cut(b, "```")
		if !ok {
			t.Fatal("a block does not end")
		}
		// The files that it names are not on every host.
		c := load(t, strings.Replace(example, "rule_files:", "#", 1))
		if !schemaAccepts(t, schema, example) {
			t.Errorf("the schema refuses\n%s", example)
		}
		for _, w := range c.Warnings {
			t.Errorf("%s\n%s", w, example)
		}
	}
	if len(blocks) < 20 {
		t.Errorf("only %d examples were found", len(blocks))
	}
	// Every key and every reason is explained.
	var keys []string
	for k := range numKeys {
		keys = append(keys, k.String())
	}
	keys = append(keys, "mntns", "name", "match", "except", "expect", "grace", "min_processes", "severity",
		"state", "effective", "min_depth", "max_depth", "restricts",
		"accept", "until", "reason",
		"out_of_reach", "on_old_kernel", "outside_workers", "rule_files", "assets", "defaults", "exempt", "rules")
	for r := NoReason + 1; r < numReasons; r++ {
		keys = append(keys, r.String())
	}
	for _, k := range keys {
		if !strings.Contains(string(text), "`"+k+"`") {
			t.Errorf("%s is not explained", k)
		}
	}
}
