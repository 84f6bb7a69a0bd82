// SPDX-License-Identifier: Apache-2.0

package access

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"text/template"
)

var update = flag.Bool("update", false, "write docs/rights.md anew")

// page returns docs/rights.md.
func page(t *testing.T) []byte {
	t.Helper()
	pages := template.New("").Funcs(template.FuncMap{"release": Release})
	pages, err := pages.ParseFiles(filepath.Join("testdata", "rights.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	// Ways of one name are closed alike.
	var closed []Way
	for _, w := range AllWays() {
		if !slices.ContainsFunc(closed, func(c Way) bool { return c.Name == w.Name }) {
			closed = append(closed, w)
		}
	}
	var b bytes.Buffer
	err = pages.ExecuteTemplate(&b, "rights.md.tmpl", map[string]any{
		"Rights": All(), "Ways": AllWays(), "Closed": closed, "Errata": Errata(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPage(t *testing.T) {
	file := filepath.Join("..", "docs", "rights.md")
	want := page(t)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/rights.md is not what the table says: run go generate ./access")
	}
}
