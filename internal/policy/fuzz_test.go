// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Whatever a file holds, it is read or refused with a place; what is read judges a
// host without a crash, and the schema accepts it.
func FuzzLoad(f *testing.F) {
	for _, text := range good {
		f.Add(text)
	}
	for _, c := range bad {
		f.Add(c.text)
	}
	f.Add("rules: [{name: a, mat\r\r\rch: {comm: [a], mntns: any}, expect: {}}g")
	schema := compileSchema(f)
	h := someHost(rand.New(rand.NewPCG(3, 1)))
	f.Fuzz(func(t *testing.T, text string) {
		d := &decoder{file: "f"}
		c := Default()
		if n := d.document(text); n != nil {
			d.main(n, c)
		}
		// All that YAML takes for the end of a line.
		lines := 1
		for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
			lines += strings.Count(text, end)
		}
		for _, p := range append(d.problems, d.warnings...) {
			// The parser gives the line behind the last one at times.
			if p.Line < 1 || p.Line > lines+1 || p.Column < 1 || p.Message == "" || strings.ContainsAny(p.Message, "\n\x1b") {
				t.Errorf("%q: %+v", text, p)
			}
		}
		if len(d.problems) > 0 {
			return
		}
		e := New(c, Options{})
		e.Evaluate(h.Snapshot)
		e.Explain(h.Snapshot, &h.Processes[0])
		var value any
		// The decoder's own opinion differs where tags are written out.
		if yaml.Unmarshal([]byte(text), &value) == nil && !strings.Contains(text, "!") && !schemaAccepts(t, schema, text) {
			t.Errorf("the schema refuses\n%s", text)
		}
	})
}

func FuzzParseExpect(f *testing.F) {
	f.Add("state=sandboxed,min_depth=1,restricts=fs.write_file,net.*,on_old_kernel=skip")
	f.Add("effective=false,restricts=net.*,outside_workers=allow")
	f.Add("state=unsandboxed")
	f.Add("state=partial,sandboxed,max_depth=3,min_depth=3")
	f.Add("state=,=")
	h := newHost()
	p := h.process(-1, "", h.domain(-1, allFS))
	f.Fuzz(func(t *testing.T, text string) {
		x, err := ParseExpect(text)
		if err == nil {
			x.Judge(h.Snapshot, p)
		} else if strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// No pattern that matches what a key's text can be has the warning that it matches nothing.
func FuzzCanBe(f *testing.F) {
	f.Add("a*.service", "ab.service")
	f.Add("re:(?i)A|[^/]+", "web")
	f.Add("**", "")
	f.Add(`re:^\b.$`, "x")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := ParsePattern(pattern)
		if err != nil {
			return
		}
		for key := range numPatterns {
			of := namingFor(key, &p)
			if of.re().MatchString(text) && p.Match(text) && !p.canBe(&of.texts) {
				t.Errorf("%s %q matches %q", key, pattern, text)
			}
		}
	})
}
