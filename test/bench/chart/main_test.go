// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

const curves = `{"Title": "t", "X": "x", "Y": "y", "Log": true, "Curves": [
	{"Name": "first", "Points": [[100, 0.5], [1000, 4]]}, {"Name": "second", "Points": [[100, 7], [1000, 90]]}]}`

// TestSameBytes: check-generated compares pictures.
func TestSameBytes(t *testing.T) {
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := run(strings.NewReader(curves), out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two pictures of the same differ")
	}
	texts := map[string]bool{}
	d := xml.NewDecoder(&first)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts[strings.TrimSpace(string(text))] = true
		}
	}
	for _, want := range []string{"t", "first", "second", "1000"} {
		if !texts[want] {
			t.Errorf("the picture does not say %q: %v", want, texts)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, in := range []string{"", `{"None": 1}`, `{"Curves": [{"Name": "empty", "Points": []}]}`} {
		if err := run(strings.NewReader(in), io.Discard); err == nil {
			t.Errorf("%q is drawn", in)
		}
	}
}
