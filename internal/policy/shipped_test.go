// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"os"
	"regexp"
	"testing"
)

// The file of assets that is shipped is right, and so is all that is commented out in it.
func TestShippedAssets(t *testing.T) {
	text, err := os.ReadFile("../../deploy/packaging/assets.yml")
	if err != nil {
		t.Fatal(err)
	}
	schema := compileSchema(t)
	all := regexp.MustCompile(`(?m)^  # (-|  )`).ReplaceAllString(string(text), "  $1")
	given, most := load(t, string(text)), load(t, all)
	if len(given.Assets) < 8 || len(most.Assets) < len(given.Assets)+4 {
		t.Errorf("%d assets, with those that are commented out %d", len(given.Assets), len(most.Assets))
	}
	for _, text := range []string{string(text), all} {
		if !schemaAccepts(t, schema, text) {
			t.Errorf("the schema refuses\n%s", text)
		}
	}
}
