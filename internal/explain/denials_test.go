// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
)

// TestDenialsOf: only those of this process, and not of one that had its PID.
func TestDenialsOf(t *testing.T) {
	s, p := host([]domainid.Domain{layer(-1, access.Rights{access.FS: 1}, domainid.Ruleset{})}, 0)
	started := time.Unix(1_750_000_000, 0).Add(-30 * time.Minute) // as host makes it
	for name, c := range map[string]struct {
		denial denials.Denial
		want   bool
	}{
		"by start":                 {denials.Denial{PID: 100, Start: p.Start, Time: started}, true},
		"by start, to 10 ms":       {denials.Denial{PID: 100, Start: p.Start - 9_999_999, Time: started}, true},
		"another start":            {denials.Denial{PID: 100, Start: p.Start + 10_000_000, Time: started.Add(time.Minute)}, false},
		"another PID":              {denials.Denial{PID: 101, Start: p.Start, Time: started}, false},
		"no PID":                   {denials.Denial{Time: started.Add(time.Minute)}, false},
		"by time":                  {denials.Denial{PID: 100, Time: started.Add(time.Minute)}, true},
		"by time, the clock moved": {denials.Denial{PID: 100, Time: started.Add(-time.Second)}, true},
		"before it was there":      {denials.Denial{PID: 100, Time: started.Add(-2 * time.Second)}, false},
	} {
		all := []denials.Denial{c.denial}
		if got := Of(s, p).DenialsOf(all); (len(got) == 1) != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if all[0].PID != c.denial.PID {
			t.Errorf("%s: the argument was changed", name)
		}
	}
}

func TestDenialsText(t *testing.T) {
	s, p := host([]domainid.Domain{layer(-1, access.Rights{access.FS: 1}, domainid.Ruleset{})}, 0)
	for want, d := range map[string]*Denials{
		"": nil,
		"\nLast denials: not known, which is not none: no daemon runs.\n":                                     {NotKnown: "no daemon runs"},
		"\nLast denials: not known, which is not none: \"\\x1b\".\n":                                          {NotKnown: "\x1b"},
		"\nLast denials: none of it, of the 3 that the daemon remembers; audit does not report all.\n":        {Way: "audit", Fed: true, Remembered: 3},
		"\nLast denials: none of it, of the 0 that the daemon remembers.\n":                                   {Way: "tracepoints", Fed: true},
		"\nLast denials: none of it, of the 1 that the daemon remembers; it reads no more now.\n":             {Way: "counters", Fed: true, Remembered: 1},
		"\nLast denials: none of it, of the 1 that the daemon remembers; up to 7 came too fast to be read.\n": {Way: "tracepoints", Fed: true, Remembered: 1, Lost: 7},
	} {
		e := Of(s, p)
		e.Denials = d
		var b bytes.Buffer
		if err := e.Text(&b, true, 0); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) || d == nil && strings.Contains(b.String(), "Last denials") {
			t.Errorf("want %q in\n%s", want, b.String())
		}
	}
}
