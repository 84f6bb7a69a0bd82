// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/schemas"
)

// TestSchema: what is written has the form of the schema, and no member that this lacks.
func TestSchema(t *testing.T) {
	schema := schemas.Strict(t, "../../docs/schema", "explain-v1.json")
	r := rand.New(rand.NewPCG(18, 19))
	s, p := host(reading(), 0)
	s.Assets = []domainid.Asset{
		{Name: "signals", Signal: true}, {Name: "web", TCP: []uint16{443}, Connect: true},
		{Name: "secrets", Paths: []string{"/etc/shadow"}, Read: true},
	}
	s.Objects = []domainid.Object{{Asset: 2, Path: "/etc/shadow", Kind: domainid.ObjectFile, Parent: -1}}
	s.Scenes, s.Tasks[0].Scene = []domainid.Scene{{Places: make([]domainid.Place, 1)}}, 1
	inside := scan.Place{State: scan.Sandboxed, Domain: 0}
	s.Workers, p.NumWorkers = []scan.Worker{{TID: 7, Real: inside, Acting: inside}}, 1
	all := []*Explanation{untrustedTexts(), Of(s, p)}
	for range 200 {
		all = append(all, Of(randomHost(r)))
	}
	var text []byte
	for _, e := range all {
		var b bytes.Buffer
		if err := e.JSON(&b); err != nil {
			t.Fatal(err)
		}
		text = b.Bytes()
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	for from, to := range map[string]string{
		`"summary":`: `"resume":`, `"threads_unknown":`: `"x": 1, "threads_unknown":`, `"ppid":`: `"x": 1, "ppid":`,
	} {
		changed := bytes.Replace(text, []byte(from), []byte(to), 1)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(changed))
		if err != nil || schema.Validate(value) == nil {
			t.Errorf("%s in place of %s: the schema allows it (%v)", to, from, err)
		}
	}
}
