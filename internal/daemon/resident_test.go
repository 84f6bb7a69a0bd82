// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestUnchanged(t *testing.T) {
	const smaps = `00400000-00ce2000 r-xp 00000000 00:01 1059                               /memfd:landlockd (deleted)
Size:               9096 kB
Rss:                7752 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
00ce2000-016a6000 r--p 008e2000 00:01 1059                               /memfd:landlockd (deleted)
Anonymous:             0 kB
Swap:                  0 kB
016a6000-017f7000 rw-p 012a6000 00:01 1059                               /memfd:landlockd (deleted)
Anonymous:             0 kB
017f7000-01800000 r--p 01300000 00:01 1059                               /memfd:landlockd (deleted)
Anonymous:             8 kB
Swap:                  0 kB
01800000-01801000 r--p 01300000 00:01 1059                               /memfd:landlockd (deleted)
Anonymous:             0 kB
Swap:                  4 kB
7f0000000000-7f0000001000 r-xp 00000000 00:01 9                          /usr/lib/libc.so
Anonymous:             0 kB
7f0000001000-7f0000002000 r-xp 00000000 00:00 0
x
nonsense-7f r-xp 00000000 00:01 1059                               /memfd:landlockd (deleted)
7ffd0000-7ffc0000 r-xp 00000000 00:01 1059                               /memfd:landlockd (deleted)
`
	got := unchanged(strings.NewReader(smaps), "/memfd:landlockd (deleted)")
	want := []mapping{{0x400000, 0x8e2000}, {0xce2000, 0x9c4000}}
	if !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// residentProgram is how much of this program is in memory, in kB, of what nobody changed.
func residentProgram(t *testing.T) (kB int) {
	t.Helper()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	is := false
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case strings.Contains(fields[0], "-"):
			is = strings.HasSuffix(line, filepath.Base(program)+"\n") && !strings.Contains(fields[1], "w")
		case is && fields[0] == "Rss:":
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			kB += n
		}
	}
	return kB
}

// What the program does not use is not in memory, and it goes on.
func TestGiveBack(t *testing.T) {
	if _, err := os.ReadFile("/proc/self/exe"); err != nil { // now all of it is in the page cache
		t.Fatal(err)
	}
	before := residentProgram(t)
	giveBack()
	after := residentProgram(t)
	t.Logf("%d kB of the program in memory, then %d", before, after)
	if before < 1000 || after >= before {
		t.Errorf("%d kB of the program are in memory, %d before", after, before)
	}
}

// The heap grows by less beside many tasks, and does not go to and fro.
func TestTighten(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	s := &thrifty{}
	for _, c := range []struct{ tasks, percent int }{
		{many - 1, 100}, {many, tightGrowth}, {many - 1, tightGrowth}, {many / 2, tightGrowth}, {many/2 - 1, 100}, {many - 1, 100},
	} {
		s.tighten(c.tasks)
		if got := debug.SetGCPercent(100); got != c.percent {
			t.Errorf("beside %d tasks the heap grows by %d %%, want %d", c.tasks, got, c.percent)
		}
		debug.SetGCPercent(c.percent)
	}
	t.Setenv("GOGC", "80")
	if s.tighten(many); debug.SetGCPercent(100) != 100 {
		t.Error("GOGC is set, and the heap grows by something else")
	}
}

// When memory goes back: behind the start, behind a burst, and now and then, oftener beside many
// tasks.
func TestIsDue(t *testing.T) {
	for _, c := range []struct {
		name  string
		tasks func(scan int) int
		due   []int
	}{
		{"few tasks", func(int) int { return many - 1 }, []int{afterStart, seldom}},
		{"many", func(int) int { return many }, []int{
			afterStart, nowAndThen, 2 * nowAndThen, 3 * nowAndThen, seldom,
		}},
		{"a burst in the tenth scan", func(scan int) int {
			if scan == 10 {
				return burst
			}
			return 100
		}, []int{afterStart, 10 + firstFree, 10 + lastFree, seldom}},
		{"fewer after a burst, not few", func(scan int) int {
			if scan == 10 {
				return burst
			}
			return burst/4 + 1
		}, []int{afterStart, seldom}},
	} {
		s, due := &thrifty{}, []int(nil)
		for scan := range seldom + 10 {
			if s.isDue(c.tasks(scan + 1)) {
				due = append(due, scan+1)
			}
		}
		if !slices.Equal(due, c.due) {
			t.Errorf("%s: memory goes back behind the scans %v, want %v", c.name, due, c.due)
		}
	}
}
