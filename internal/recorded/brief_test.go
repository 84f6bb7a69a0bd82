// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestBrief: what is left out follows from the rest. A snapshot that was written briefly is read as
// the same, and fits the schema only because it says that it is brief; one that is not brief does not
// fit if it says so.
func TestBrief(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	fits := func(text []byte) bool {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value) == nil
	}
	again := func(text []byte) []byte {
		s, err := Read(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return encode(t, s)
	}
	processes := 0
	for seed := range uint64(100) {
		s := random(rand.New(rand.NewPCG(seed, 9)))
		var brief bytes.Buffer
		if err := Write(&brief, s, Options{Brief: true}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again(brief.Bytes()), encode(t, s)) {
			t.Errorf("host %d is read as another one if it was written briefly", seed)
		}
		if !fits(brief.Bytes()) {
			t.Errorf("host %d: what is written briefly does not fit the schema", seed)
		}
		unsaid := bytes.Replace(brief.Bytes(), []byte(`"brief":true,`), nil, 1)
		if len(s.Processes) > 0 && fits(unsaid) {
			t.Errorf("host %d: processes lack members, and the schema allows it", seed)
		}
		said := bytes.Replace(encode(t, s), []byte(`"summary"`), []byte(`"brief":true,"summary"`), 1)
		if len(s.Processes) > 0 && fits(said) {
			t.Errorf("host %d: the schema allows members in a brief snapshot that it lacks", seed)
		}
		processes += len(s.Processes)
	}
	if processes < 100 {
		t.Errorf("only %d processes", processes)
	}
}
