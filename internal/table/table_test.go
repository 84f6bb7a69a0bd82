// SPDX-License-Identifier: Apache-2.0

package table

import (
	"errors"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/test/hosts"
)

// sample has two columns that can be cut.
func sample(s Style) *Table {
	t := &Table{Style: s, Titles: []string{"NAME", "STATE", "N", "WORDS"}}
	t.Row(t.Name("a"), State("sandboxed"), Number(1), t.Words("-"))
	t.Row(t.Name(strings.Repeat("long-", 20)), State("partial"), Number(1000), t.Words(strings.Repeat("word ", 20)))
	t.Row(t.Name("x\x1b]0;\n\u202e"), State(""), Number(22), t.Words("a\tb"))
	return t
}

func text(t *testing.T, table *Table) string {
	t.Helper()
	var b strings.Builder
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFitsIntoItsWidth(t *testing.T) {
	for _, width := range []int{0, 80, 100, 120, 300} {
		got := text(t, sample(Style{Width: width}))
		hosts.CheckSafe(t, got)
		if n := strings.Count(got, "\n"); n != 4 {
			t.Errorf("%d lines:\n%s", n, got)
		}
		room := Style{Width: width}.Room(0)
		for line := range strings.Lines(got) {
			if n := untrusted.Columns(strings.TrimSuffix(line, "\n")); n > room {
				t.Errorf("%d columns, want at most %d: %s", n, room, line)
			}
		}
		if cut := strings.Contains(got, "…"); cut != (width != 300) {
			t.Errorf("width %d:\n%s", width, got)
		}
	}
}

// What needs less than its part leaves the rest to others.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		elastic, widths []int
		room            int
		want            []int
	}{
		{[]int{0, 10, 0}, []int{5, 4, 6}, 80, []int{5, 10, 6}},
		{[]int{0, 200, 0}, []int{5, 4, 6}, 80, []int{5, 65, 6}},
		{[]int{30, 200}, []int{4, 4}, 82, []int{30, 50}},
		{[]int{200, 30, 100}, []int{4, 4, 4}, 144, []int{55, 30, 55}},
		{[]int{200, 200}, []int{4, 4}, 20, []int{minRoom, minRoom}},
	} {
		share(c.elastic, c.widths, c.room)
		for i, want := range c.want {
			if got := max(c.elastic[i], c.widths[i]); got != want {
				t.Errorf("%+v: column %d has %d", c, i, got)
			}
		}
	}
}

// Colors change nothing but colors.
func TestColors(t *testing.T) {
	plain, colored := text(t, sample(Style{})), text(t, sample(Style{Color: true}))
	if !strings.Contains(colored, "\x1b[32msandboxed\x1b[0m") || !strings.Contains(colored, "\x1b[33mpartial\x1b[0m") {
		t.Errorf("%q", colored)
	}
	for _, code := range []string{"\x1b[32m", "\x1b[33m", "\x1b[0m"} {
		colored = strings.ReplaceAll(colored, code, "")
	}
	if colored != plain {
		t.Errorf("got\n%s\nwant\n%s", colored, plain)
	}
}

func TestBare(t *testing.T) {
	if got := text(t, sample(Style{Bare: true})); strings.Contains(got, "STATE") || strings.Count(got, "\n") != 3 {
		t.Error(got)
	}
	var b strings.Builder
	if err := errors.Join(Style{Bare: true}.Lines(&b, "x"), (&Table{Titles: []string{"A"}}).Write(&b)); err != nil || b.Len() > 0 {
		t.Errorf("%q, %v", b.String(), err)
	}
	if err := (Style{}).Lines(&b, "x", "y"); err != nil || b.String() != "x\ny\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
