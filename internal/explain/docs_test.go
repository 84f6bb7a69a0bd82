// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/domainid"
)

// TestDocs: docs/explain.md has every member of the objects that are explain's own,
// and every word of a doubt.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/explain.md")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := untrustedTexts().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var j map[string]any
	if err := json.Unmarshal(b.Bytes(), &j); err != nil {
		t.Fatal(err)
	}
	sandbox := j["sandboxes"].([]any)[0].(map[string]any)
	objects := []any{j, j["as_a_whole"], j["root_directories"].([]any)[0], sandbox,
		sandbox["may"].([]any)[0]}
	var words []string
	for _, o := range objects {
		for key := range o.(map[string]any) {
			words = append(words, key)
		}
	}
	for d := domainid.Doubt(1); len(d.Words()) > 0; d <<= 1 {
		words = append(words, d.Words()...)
	}
	notOurs := []string{"schema", "time", "threads"}
	for _, word := range words {
		if !slices.Contains(notOurs, word) && !strings.Contains(string(page), "`"+word+"`") {
			t.Errorf("docs/explain.md does not have `%s`", word)
		}
	}
	if len(words) < 40 {
		t.Errorf("only %q: the test is wrong", words)
	}
}
