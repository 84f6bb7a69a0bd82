// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/policy"
)

// document is docs/openapi.yaml, as far as it is used.
type document struct {
	Paths      map[string]map[string]operation
	Components struct {
		Parameters map[string]parameter
		Responses  map[string]response
	}
}

type operation struct {
	Parameters []parameter
	Responses  map[string]response
}

type parameter struct {
	Ref      string `yaml:"$ref"`
	Name, In string
}

type response struct {
	Ref     string `yaml:"$ref"`
	Content map[string]struct {
		Schema struct {
			Ref string `yaml:"$ref"`
		}
	}
}

func readDocument(t *testing.T) *document {
	t.Helper()
	text, err := os.ReadFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := yaml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	for _, of := range d.Paths {
		for method, o := range of {
			for i, p := range o.Parameters {
				if p.Ref != "" {
					o.Parameters[i] = d.Components.Parameters[last(p.Ref)]
				}
			}
			for status, r := range o.Responses {
				o.Responses[status] = d.Components.Responses[last(r.Ref)]
			}
			of[method] = o
		}
	}
	return &d
}

func last(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// holds fails unless an answer is what the document has of its path.
func (d *document) holds(t *testing.T, path string, status int, body string) {
	t.Helper()
	o := d.Paths[path]["get"]
	r, ok := o.Responses[strconv.Itoa(status)]
	if !ok {
		r = o.Responses["default"]
	}
	ref := r.Content["application/json"].Schema.Ref
	if lines := r.Content["application/jsonl"].Schema.Ref; lines != "" {
		for _, line := range strings.SplitAfter(strings.TrimSuffix(body, "\n"), "\n") {
			validate(t, path, lines, line)
		}
		return
	}
	if ref == "" {
		t.Fatalf("%s: no schema for %d", path, status)
	}
	validate(t, path, ref, body)
}

func validate(t *testing.T, path, ref, body string) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("../../docs", ref))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: %.300s\n%v", path, body, err)
	}
}

// TestOpenAPI: the document has what is served, with the parameters that are taken, and what
// the server answers has the form that the document has of it.
func TestOpenAPI(t *testing.T) {
	d := readDocument(t)
	served := NewServer(Options{}).routes()
	for path, of := range d.Paths {
		if served[path] == nil || len(of) != 1 || of["get"].Responses["200"].Content == nil {
			t.Errorf("%s is in the document, and not served by GET alone", path)
		}
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte("rules: [{name: all, match: {comm: ['*']}, expect: {min_depth: 9}, grace: 0s}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := inforce.New(inforce.Options{Load: func() (*policy.Config, error) { return policy.Load(file) }})
	if err != nil {
		t.Fatal(err)
	}
	h := newHostJudged(t, rules.Judge, ended(7))
	h.deny(t, 7, "/etc/shadow")
	me := strconv.Itoa(os.Getpid())
	for path := range served {
		o, ok := d.Paths[path]["get"]
		if !ok {
			t.Errorf("%s is served, and not in the document", path)
			continue
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel() // each waits for a scan
			target, query := strings.ReplaceAll(path, "{pid}", me), url.Values{}
			for _, p := range o.Parameters {
				switch {
				case p.Name == "only":
					query.Set(p.Name, "runs,denials")
				case p.Name == "brief":
					query.Set(p.Name, "true")
				case p.In == "query" && p.Name != "follow": // it has no end: TestLog
					query.Set(p.Name, me)
				}
			}
			for suffix, want := range map[string]int{"": 200, "?" + query.Encode(): 200, "?no-such=1": 400} {
				if suffix == "?" {
					continue
				}
				status, body := get(t, h.socket, target+suffix)
				if status != want {
					t.Errorf("%s: %d, want %d", target+suffix, status, want)
				}
				d.holds(t, path, status, body)
			}
		})
	}
	for path, want := range map[string]int{"/v1/processes/0": 400, "/v1/processes/x%1b": 400, "/v1/processes/2147483647": 404} {
		status, body := get(t, h.socket, path)
		if status != want {
			t.Errorf("%s: %d", path, status)
		}
		d.holds(t, "/v1/processes/{pid}", status, body)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		if status, _ := send(t, h.socket, method, snapshotPath); status != 404 {
			t.Errorf("%s: %d", method, status)
		}
	}
}
