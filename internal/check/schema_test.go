// SPDX-License-Identifier: Apache-2.0

package check

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/test/schemas"
)

// TestSchema: what is written has the form of the schema, and no member that this lacks.
func TestSchema(t *testing.T) {
	schema := schemas.Strict(t, "../../docs/schema", "check-v1.json")
	h := mixed()
	var texts [3]bytes.Buffer
	if err := JSON(&texts[0], &h.Snapshot, h.judge(t, fourRules), true, "scan"); err != nil {
		t.Fatal(err)
	}
	p := &h.Processes[0]
	compliant := One{Snapshot: &h.Snapshot, Process: p, Origin: "file"}
	violating := One{&h.Snapshot, p, "scan", policy.Violating, policy.Unsandboxed, "none of its tasks"}
	for i, one := range []One{compliant, violating} {
		if err := one.JSON(&texts[1+i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range texts {
		text := texts[i].Bytes()
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
		for from, to := range map[string]string{
			`"time":`: `"x": 1, "time":`, `"answer":`: `"x":`, `"ppid":`: `"x": 1, "ppid":`,
		} {
			changed := bytes.Replace(text, []byte(from), []byte(to), 1)
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(changed))
			if err != nil || schema.Validate(value) == nil {
				t.Errorf("%s in place of %s: the schema allows it (%v)", to, from, err)
			}
		}
	}
}
