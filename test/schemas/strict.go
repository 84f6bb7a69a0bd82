// SPDX-License-Identifier: Apache-2.0

// Package schemas compiles the JSON schemas of docs/schema for tests.
package schemas

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Strict compiles a schema, in a directory with those that it refers to, so that it allows no
// member that it does not name. Readers must ignore such; whoever writes has none.
func Strict(t testing.TB, dir, name string) *jsonschema.Schema {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema in %s: %v", dir, err)
	}
	docs := map[string]any{}
	bases := map[string]bool{} // what other objects add members to
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(f)
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		docs[filepath.Base(file)] = doc
		each(doc, func(s map[string]any) {
			if ref, ok := s["$ref"].(string); ok && s["properties"] != nil {
				bases[ref[strings.LastIndex(ref, "/")+1:]] = true
			}
		})
	}
	compiler := jsonschema.NewCompiler()
	for name, doc := range docs {
		object := doc.(map[string]any)
		delete(object, "$id") // by which others would be looked for elsewhere
		defs, _ := object["$defs"].(map[string]any)
		left := map[string]any{}
		for base := range bases {
			if def, ok := defs[base]; ok {
				left[base] = def
				delete(defs, base)
			}
		}
		each(doc, func(s map[string]any) {
			if s["properties"] != nil && s["additionalProperties"] == nil {
				s["unevaluatedProperties"] = false
			}
		})
		for base, def := range left {
			defs[base] = def
		}
		if err := compiler.AddResource("file:///"+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := compiler.Compile("file:///" + name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// each calls f for every object of a schema.
func each(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(v)
		for _, below := range v {
			each(below, f)
		}
	case []any:
		for _, below := range v {
			each(below, f)
		}
	}
}
