// SPDX-License-Identifier: Apache-2.0

package inforce

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// logOf returns a set of the rules of a file, its log without times, and its clock.
func logOf(t *testing.T, f *file) (s *Set, lines func() []string, now *time.Time) {
	t.Helper()
	s = f.open()
	var log bytes.Buffer
	untimed := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}
	s.changes.log.logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: untimed}))
	now = new(time.Unix(1e9, 0))
	s.changes.clock = func() time.Time { return *now }
	return s, func() []string {
		s.changes.log.writing.Wait()
		hosts.CheckSafe(t, log.String())
		all := slices.Collect(strings.Lines(log.String()))
		log.Reset()
		return all
	}, now
}

// A line is logged when a rule comes to be violated and when it is no longer, and no others.
func TestChangesOfRules(t *testing.T) {
	f := newFile(t, twoRules)
	s, lines, _ := logOf(t, f)
	bad := host(7, scan.Unsandboxed)
	bad.Processes[0].Exe, bad.Processes[0].UID = "/a b\x1b\u202e", 5
	const violated = `msg="Rule violated" rule=one severity=warning reason=unsandboxed pid=7 ` +
		`exe="\"/a b\\x1b\\u202e\"" uid=5 workload=a.service` + "\n"
	const tooFew = `msg="Rule violated" rule=two severity=warning reason=too_few` + "\n"
	for _, c := range []struct {
		snap *scan.Snapshot
		want string
	}{
		{host(7, scan.Sandboxed), tooFew},
		{host(7, scan.Unknown), ""},
		{bad, violated},
		{bad, ""},
		{host(8, scan.Unsandboxed), ""},
		{host(8, scan.Sandboxed), `msg="Rule no longer violated" rule=one severity=warning` + "\n"},
		{bad, violated},
	} {
		s.Evaluate(c.snap)
		if got := strings.Join(lines(), ""); got != c.want {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
	// A rule of the same name goes on, another one begins anew.
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	s.Evaluate(bad)
	if got := lines(); len(got) > 0 {
		t.Errorf("after a reload: %q", got)
	}
	for _, text := range []string{oneRule, twoRules} {
		f.write(text)
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
		s.Evaluate(bad)
	}
	if got := strings.Join(lines(), ""); got != tooFew {
		t.Errorf("it came again: %q", got)
	}
}

// However many change, 20 lines a minute are logged, and how many are left out.
func TestChangesAreBounded(t *testing.T) {
	s, lines, now := logOf(t, newFile(t, oneRule))
	v := policy.Verdict{Rule: &s.Config().Rules[0], Result: policy.Violating, Reason: policy.Partial}
	for i := range 50 {
		s.LogBroken(v, Offender{PID: 3, Exe: "/x", UID: scan.NoUser, Workload: fmt.Sprintf("w%d", i)}, 4)
	}
	s.Evaluate(host(1, scan.Unsandboxed))
	got := lines()
	const want = `msg="Rule broken by a process that ended" rule=one severity=warning reason=partial ` +
		`pid=3 exe=/x workload=w19 processes=4` + "\n"
	if len(got) != maxChanges || got[len(got)-1] != want {
		t.Errorf("%d lines, the last %s", len(got), got[len(got)-1])
	}
	*now = now.Add(time.Minute)
	s.Evaluate(host(1, scan.Sandboxed))
	got = lines()
	if len(got) != 2 || got[0] != `msg="More rules changed than are logged in a minute" left_out=31`+"\n" {
		t.Errorf("in the next minute: %q", got)
	}
	*now = now.Add(time.Hour)
	s.Evaluate(host(1, scan.Sandboxed))
	if got = lines(); len(got) != 0 {
		t.Errorf("after nothing was left out: %q", got)
	}
	for range 2 {
		for range maxChanges {
			s.LogBroken(v, Offender{}, 1)
		}
		*now = now.Add(-2 * time.Hour) // the clock is set
	}
	if got = lines(); len(got) != 2*maxChanges {
		t.Errorf("after the clock was set: %d lines", len(got))
	}
}

func TestEnded(t *testing.T) {
	f := newFile(t, oneRule)
	s := f.open()
	judged := func() (all []string) {
		snap := host(1, scan.Unsandboxed)
		snap.ConcludeEnded(func(int) access.Rights { return access.Rights{} })
		none := func(int) bool { return false }
		s.Ended(policy.Ended{Snapshot: snap, Launch: none, Below: none}, func(place int, v policy.Verdict) {
			all = append(all, strings.TrimSpace(fmt.Sprintln(place, v.Rule.Name, v.Result, v.Reason)))
		})
		return all
	}
	before := s.Config()
	if got := judged(); !slices.Equal(got, []string{"0 one violating unsandboxed"}) {
		t.Errorf("%q", got)
	}
	f.write("rules: [{name: free, match: {unit: [a.service]}, expect: {state: [unsandboxed]}}]\n")
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := judged(); !slices.Equal(got, []string{"0 free compliant"}) || s.Config() == before {
		t.Errorf("%q", got)
	}
}

// stuck is a log that nobody reads, until it is closed.
type stuck struct {
	closed  chan struct{}
	n, left int
}

func (w *stuck) Write(b []byte) (int, error) {
	<-w.closed
	if _, left, found := strings.Cut(string(b), "left_out="); found {
		n, _ := strconv.Atoi(strings.TrimSpace(left))
		w.left += n
	} else {
		w.n++
	}
	return len(b), nil
}

// Nobody waits for a log that is not read: what has no room is left out, and counted.
func TestLogIsNotRead(t *testing.T) {
	s, _, now := logOf(t, newFile(t, oneRule))
	w := &stuck{closed: make(chan struct{})}
	s.changes.log.logger = slog.New(slog.NewTextHandler(w, nil))
	v := policy.Verdict{Rule: &s.Config().Rules[0], Result: policy.Violating}
	const minutes = 10
	for range minutes {
		for range maxChanges {
			s.LogBroken(v, Offender{}, 1)
		}
		s.Evaluate(host(1, scan.Unsandboxed))
		*now = now.Add(time.Minute)
	}
	close(w.closed)
	s.changes.log.writing.Wait()
	// The rule was broken so often, and came to be violated once.
	if left := w.left + s.changes.left; w.n == 0 || w.n+left != minutes*maxChanges+1 || w.n > 2*maxQueued {
		t.Errorf("%d lines, and %d left out", w.n, left)
	}
}
