// SPDX-License-Identifier: Apache-2.0

package access

import (
	"slices"
	"strings"
	"testing"
)

func TestWays(t *testing.T) {
	seen := map[string]bool{}
	last, bits := Right{}, Ways(0)
	for i, w := range AllWays() {
		at := func(r Right) int { return slices.Index(All(), r) }
		switch {
		case bits&w.Ways() != 0 || w.Ways() != 1<<w.bit:
			t.Errorf("%s has bit %d, as another one has", w, w.bit)
		case seen[w.String()]:
			t.Errorf("%s stands in the table twice", w)
		case at(w.Right) < 0 || i > 0 && at(w.Right) < at(last):
			t.Errorf("%s: its right is not in the table, or out of order", w)
		case w.Text == "" || strings.ContainsAny(w.Text, ".|"):
			t.Errorf("%s: text %q", w, w.Text)
		case !strings.HasSuffix(w.Reason, ".") || strings.Contains(w.Reason, "|"):
			t.Errorf("%s: reason %q is no sentence", w, w.Reason)
		case w.Issue == 0 && w.Erratum == 0:
			t.Errorf("%s: no source", w)
		}
		if found, ok := LookupWay(w.Right, w.Name); !ok || found != w {
			t.Errorf("%s: LookupWay finds %+v", w, found)
		}
		seen[w.String()], last, bits = true, w.Right, bits|w.Ways()
	}
}

func TestWaysOf(t *testing.T) {
	connect, _ := Lookup("net.connect_tcp")
	bind, _ := Lookup("net.bind_tcp")
	mptcp, _ := LookupWay(connect, "mptcp")
	fast, _ := LookupWay(connect, "tcp_fast_open")
	listen, _ := LookupWay(bind, "listen")
	open, unknown := mptcp.Ways()|fast.Ways(), listen.Ways()
	if got := WaysText(open.Past(connect)); got != "MPTCP and Fast Open" {
		t.Errorf("ways past %s: %q", connect, got)
	}
	if got := open.Past(bind); got != nil {
		t.Errorf("ways past %s: %v", bind, got)
	}
	for w, want := range map[Way]Answer{mptcp: Yes, fast: Yes, listen: Unknown} {
		if got := open.Of(w, unknown); got != want {
			t.Errorf("%s: %v, want %v", w, got, want)
		}
	}
	if got := Ways(0).Of(fast, unknown); got != No {
		t.Errorf("%s: %v", fast, got)
	}
	if got := (open | unknown).All(); !slices.Equal(got, []Way{listen, mptcp, fast}) {
		t.Errorf("all: %v", got)
	}
	if _, ok := LookupWay(bind, "tcp_fast_open"); ok {
		t.Error("a way past another right is found")
	}
}

func TestWaysText(t *testing.T) {
	for _, c := range []struct {
		list string
		want string
	}{
		{"", ""},
		{"A", "A"},
		{"A B", "A and B"},
		{"A B C", "A, B and C"},
	} {
		var list []Way
		for _, text := range strings.Fields(c.list) {
			list = append(list, Way{Text: text})
		}
		if got := WaysText(list); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
