// SPDX-License-Identifier: Apache-2.0

package exposition

import "testing"

func TestDiff(t *testing.T) {
	got, err := Parse("# TYPE a gauge\na{l=\"x y\"} 1\na{l=\"z\"} 2\n# TYPE b gauge\nb 3e+06\n")
	if err != nil {
		t.Fatal(err)
	}
	want := Samples{`a{l="x y"}`: 1, `a{l="z"}`: 2, "b": 3e6}
	if d := got.Diff(want); d != "" {
		t.Error(d)
	}
	delete(want, "b")
	want[`a{l="z"}`], want["c"] = 4, 0
	const text = "a{l=\"z\"} is 2, want 4\nb is 3e+06, want it absent\nc is not there, want 0\n"
	if d := got.Diff(want); d != text {
		t.Errorf("got %q, want %q", d, text)
	}
	if d := got.With("a{").Diff(Samples{`a{l="x y"}`: 1, `a{l="z"}`: 2}); d != "" {
		t.Error(d)
	}
}

func TestParseFails(t *testing.T) {
	for _, text := range []string{"a b\n", "a{ 1\n", "a 1\na 2\n# TYPE a gauge\n"} {
		if s, err := Parse(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}
