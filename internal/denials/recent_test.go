// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/domainid"
)

// denied returns a denial of a domain by one blocker.
func denied(domain domainid.ID, b Blocker, change ...func(*Event)) *Event {
	e := &Event{Time: time.Unix(1000, 0), Domain: domain, PID: 7, Start: 70}
	e.Blockers.Add(b)
	for _, f := range change {
		f(e)
	}
	return e
}

func path(p string) func(*Event) {
	return func(e *Event) {
		e.Object.Kind = File
		e.Object.Text.Set([]byte(p))
	}
}

func TestRecent(t *testing.T) {
	r := &Recent{}
	if got := r.Snapshot(); len(got) != 0 {
		t.Errorf("%v", got)
	}
	r.Add(denied(1, 0, path("/a")))
	r.Add(denied(1, 0, path("/a"), func(e *Event) { e.Time = time.Unix(2000, 0) }))
	r.Add(denied(1, 1, path("/a")))
	r.Add(denied(1, 0, path("/a")))
	got := r.Snapshot()
	if len(got) != 3 || got[0].Count != 1 || got[1].Blockers[0] != "fs.write_file" || got[2].Count != 2 || !got[2].Time.Equal(time.Unix(2000, 0)) {
		t.Errorf("%+v", got)
	}
	// Of those that are alike only the later ones come after the first.
	after, now, lost := r.After(1)
	if len(after) != 3 || now != 4 || lost != 0 || after[0].Count != 1 || after[2].Blockers[0] != got[0].Blockers[0] {
		t.Errorf("%+v, %d, %d", after, now, lost)
	}
	for i := range 3 * maxRecent {
		r.Add(denied(domainid.ID(i+1), 0, path(fmt.Sprintf("/%d", i))))
	}
	got = r.Snapshot()
	if len(got) != maxRecent {
		t.Fatalf("%d are remembered", len(got))
	}
	if after, now, lost := r.After(3); len(after) != maxRecent || now != 4+3*maxRecent || lost != 1+2*maxRecent {
		t.Errorf("%d, %d, %d", len(after), now, lost)
	}
	for i, d := range got {
		if want := fmt.Sprintf("/%d", 3*maxRecent-1-i); d.Path != want {
			t.Fatalf("number %d is %s, want %s", i, d.Path, want)
		}
	}
	e := denied(1, 0, path("/x"))
	n := 0
	if allocs := testing.AllocsPerRun(1000, func() {
		n++
		e.Domain = domainid.ID(n)
		r.Add(e)
	}); allocs != 0 {
		t.Errorf("%v allocations for each", allocs)
	}
}

func TestText(t *testing.T) {
	var x Text
	for _, c := range []struct{ in, want string }{
		{"", ""}, {"abc", "abc"}, {strings.Repeat("x", maxText), strings.Repeat("x", maxText)},
		{"begin" + strings.Repeat("x", maxText), strings.Repeat("x", maxText)},
		{"\x00\xff", "\x00\xff"},
	} {
		if x.Set([]byte(c.in)); x.String() != c.want {
			t.Errorf("%q became %q", c.in, x.String())
		}
	}
	for k, want := range map[ObjectKind]string{NoObject: "unknown", File: "file", Port: "port", Socket: "socket", Task: "task"} {
		if k.String() != want {
			t.Errorf("kind %d is %s", k, k)
		}
	}
}
