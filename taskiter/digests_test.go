// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestRunAtRest: a pass is the same if all of its reads are, and ends the rest if not.
func TestRunAtRest(t *testing.T) {
	failed := errors.New("it failed")
	reads := func(of ...string) reader {
		return func(take func([]byte) error) error {
			for _, b := range of {
				if b == "fails" {
					return failed
				}
				if err := take([]byte(b)); errors.Is(err, io.EOF) {
					return nil
				} else if err != nil {
					return err
				}
			}
			return nil
		}
	}
	before := []string{"one", "two", "three"}
	for _, c := range []struct {
		now  []string
		same bool
		err  error
	}{
		{[]string{"one", "two", "three"}, true, nil},
		{[]string{"one", "two"}, false, nil},
		{[]string{"one", "two", "three", "four"}, false, nil},
		{[]string{"one", "twO", "three"}, false, nil},
		{[]string{"one", "two", "three\x00"}, false, nil},
		{[]string{"one", "three", "two"}, false, nil},
		{[]string{"onetwo", "three"}, false, nil},
		{nil, false, nil},
		{[]string{"one", "fails"}, false, failed},
	} {
		p := &pass{stream: []byte("onetwothree"), digests: newDigests()}
		if _, same, err := p.runAgain(reads(before...)); !same || err != nil {
			t.Fatal(same, err)
		}
		p.rest()
		same, err := p.runAtRest(reads(c.now...))
		if same != c.same || !errors.Is(err, c.err) || p.resting != c.same || p.stream != nil {
			t.Errorf("%q: same %v, %v, at rest %v, %d bytes", c.now, same, err, p.resting, len(p.stream))
		}
	}
}

// TestRest: a source at rest keeps no records, and who comes then is known as anybody is.
func TestRest(t *testing.T) {
	s := openSource(t, Options{})
	for end := time.Now().Add(time.Minute); time.Now().Before(end); { // beside a host that changes
		if mustScan(t, s); s.pass.resting || s.deriver != nil && s.scans > 2*rests {
			break
		}
	}
	if s.deriver != nil { // each scan is needed to vouch for the next one
		if s.pass.resting || s.pass.stream == nil {
			t.Error("a source that derives IDs is at rest")
		}
		return
	}
	if !s.pass.resting || s.pass.stream != nil || s.pass.at != nil || s.programs.list != nil {
		t.Fatalf("it is at rest: %v; %d bytes of records, %d tasks", s.pass.resting, len(s.pass.stream), len(s.pass.at))
	}
	sleeper := exec.Command("sleep", "1h")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() }()
	want, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	snap := mustScan(t, s)
	if p := mustFind(t, snap, int32(os.Getpid())); p.Exe != want {
		t.Errorf("this is %q, want %q", p.Exe, want)
	}
	if p := mustFind(t, snap, int32(sleeper.Process.Pid)); p.Comm.String() != "sleep" || p.Exe == "" {
		t.Errorf("%+v", p)
	}
}

// TestRestEndsWithWholeBudgets: the pass that ends a rest takes nothing of what the next may spend.
func TestRestEndsWithWholeBudgets(t *testing.T) {
	w := newPlayed(1)
	p := w.play()
	played, passes, spent := p.source.read, 0, uint64(0)
	p.source.read = func(ctx context.Context, file int, take func([]byte) error) error {
		if file == linkFile {
			passes, spent = passes+1, spent+p.source.control.ViewNs[0]
			p.source.control.ViewNs[0] = 1
		}
		return played(ctx, file, take)
	}
	for range 3 * rests {
		w.calm()
		p.scan(t)
	}
	if !p.source.pass.resting {
		t.Fatal("it is not at rest")
	}
	passes, spent = 0, 0
	w.processes[0].tasks[0].Comm[0]++
	p.scan(t)
	if passes != 2 || spent != 0 {
		t.Errorf("%d passes began with %d ns used up", passes, spent)
	}
}
