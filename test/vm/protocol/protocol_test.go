// SPDX-License-Identifier: Apache-2.0

package protocol

import "testing"

func TestRoundTrip(t *testing.T) {
	for _, want := range []Line{
		{Kind: Begin, Check: "scan"},
		{Kind: Fact, Check: "scan", Key: "offset", Text: "24"},
		{Kind: Fact, Check: "scan", Key: "empty"},
		{Kind: Log, Check: "scan", Text: "two\nlines with @@ and \"quotes\" and \x00"},
		{Kind: Result, Check: "scan", Key: string(OK)},
		{Kind: Result, Check: "scan", Key: string(Fail), Text: "depth 2, want 3"},
		{Kind: Done, Key: "3"},
	} {
		for _, s := range []string{want.String(), "[    1.0] noise" + want.String() + "\r\n"} {
			got, ok := Parse(s)
			if !ok || got != want {
				t.Errorf("Parse(%q) = %+v, %v; want %+v", s, got, ok, want)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "@@", "RESULT scan ok", "@@RESULT scan ok@@", "@@RESULT scan ok \"cut",
		"@@RESULT scan ok \"a\"b\"@@", "@@DONE many@@", "@@RESULT scan ok \"\"@@ and more",
	} {
		if l, ok := Parse(s); ok {
			t.Errorf("Parse(%q) = %+v", s, l)
		}
	}
}
