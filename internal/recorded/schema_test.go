// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../../docs/schema/snapshot-v1.json"

// TestReadsWhatSchemaAllows: whatever may be null by the schema is read as null, and what may
// be missing, without it. What else stands there has to fit, so that for each such member
// random snapshots are tried, with that member null, and without it.
func TestReadsWhatSchemaAllows(t *testing.T) {
	raw, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	w := schemaWalk{
		defs: root["$defs"].(map[string]any), nullable: map[string]bool{}, members: map[string]bool{},
	}
	w.walk(root, "")
	for _, known := range []string{
		"/domains/[]/id", "/views/[]/domain", "/processes/[]/tasks/[]/domain", "/host/errata",
		"/domains/[]/creator/exe", "/processes/[]/workers/[]/real/domain", "/workloads/[]/container",
	} {
		if !w.nullable[known] {
			t.Errorf("%s may be null, but was not found in the schema", known)
		}
	}
	texts := make([][]byte, 60)
	for seed := range texts {
		texts[seed] = encode(t, random(rand.New(rand.NewPCG(uint64(seed), 77))))
	}
	toNull := func(object map[string]any, name string) { object[name] = nil }
	for path := range w.nullable {
		t.Run(path, func(t *testing.T) {
			if !readsChanged(t, schema, path, texts, toNull) {
				t.Fatal("no snapshot has this member")
			}
		})
	}
	if len(w.members) < 100 {
		t.Errorf("%d members were found in the schema", len(w.members))
	}
	for path := range w.members {
		t.Run("without "+path, func(t *testing.T) {
			readsChanged(t, schema, path, texts[:3], func(object map[string]any, name string) { delete(object, name) })
		})
	}
}

// readsChanged changes a member of snapshots in JSON, one place after the other, and fails
// unless one is read of those that the schema allows then. It reports whether there are such.
func readsChanged(
	t *testing.T, schema *jsonschema.Schema, path string, texts [][]byte,
	change func(object map[string]any, name string),
) (found bool) {
	var refused error
	for _, text := range texts {
		for n := range 4 { // one place after the other
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if !changeAt(value, strings.Split(path, "/")[1:], &n, change) {
				break
			}
			if schema.Validate(value) != nil {
				continue
			}
			found = true
			changed, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if _, refused = Read(bytes.NewReader(changed)); refused == nil {
				return true
			}
		}
	}
	if found {
		t.Errorf("the schema allows it, the reader does not: %v", refused)
	}
	return found
}

// changeAt changes one place, past *skip others, and reports whether there is one.
func changeAt(
	value any, path []string, skip *int, change func(object map[string]any, name string),
) bool {
	last := len(path) == 1
	switch v := value.(type) {
	case map[string]any:
		below, there := v[path[0]]
		if !there {
			return false
		}
		if !last {
			return changeAt(below, path[1:], skip, change)
		}
		if *skip--; *skip < 0 {
			change(v, path[0])
			return true
		}
	case []any:
		for i := range v {
			if !last {
				if changeAt(v[i], path[1:], skip, change) {
					return true
				}
				continue
			}
			if *skip--; *skip < 0 {
				v[i] = nil
				return true
			}
		}
	}
	return false
}

// schemaWalk collects the places of members, and those that may be null.
type schemaWalk struct {
	defs              map[string]any
	nullable, members map[string]bool
}

func (w *schemaWalk) walk(s map[string]any, path string) {
	if allowsNull(s) {
		w.nullable[path] = true
	}
	if ref, ok := s["$ref"].(string); ok {
		target := w.defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		// What stands beside a reference has to hold, too.
		narrowed := s["type"] != nil && !allowsNull(s)
		was := w.nullable[path]
		if w.walk(target, path); narrowed && !was {
			delete(w.nullable, path)
		}
	}
	for _, of := range asList(s["anyOf"]) {
		w.walk(of.(map[string]any), path)
	}
	for name, member := range asObject(s["properties"]) {
		w.members[path+"/"+name] = true
		if member, ok := member.(map[string]any); ok {
			w.walk(member, path+"/"+name)
		}
	}
	if items := asObject(s["items"]); items != nil {
		w.walk(items, path+"/[]")
	}
}

func allowsNull(s map[string]any) bool {
	return s["type"] == "null" || slices.Contains(asList(s["type"]), any("null")) ||
		slices.Contains(asList(s["enum"]), nil)
}

func asList(v any) []any            { l, _ := v.([]any); return l }
func asObject(v any) map[string]any { o, _ := v.(map[string]any); return o }
