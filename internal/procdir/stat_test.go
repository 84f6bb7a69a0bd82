// SPDX-License-Identifier: Apache-2.0

package procdir

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// behind is what stands behind the fields that are read.
const behind = " 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

func statLine(comm string) string {
	return fmt.Sprintf("7 (%s) D 3 -1 -1 0 -1 2097152 1 0 0 0 0 0 0 0 20 -5 5 0 123 100 10 "+
		"18446744073709551615 100 8192 456%s", comm, behind)
}

func TestParseStat(t *testing.T) {
	for _, comm := range []string{
		"x", "", ")", "a) S 1 (b", "\n) Z 9", "((((", strings.Repeat("y", 40),
	} {
		var s Stat
		line := statLine(comm)
		if !ParseStat([]byte(line), &s) {
			t.Errorf("%q is not understood", line)
			continue
		}
		if got, want := s.Comm.String(), comm[:min(len(comm), 15)]; got != want {
			t.Errorf("name %q, want %q", got, want)
		}
		if s.State != 'D' || s.PPID != 3 || s.Flags != 0x200000 || s.Threads != 5 || s.Dead() ||
			s.Start != 123*uint64(scan.StatTick) || s.MM != (MMMarks{100, 456}) {
			t.Errorf("%q: %+v", line, s)
		}
		for cut := range len(line) - len(behind) - len("456") {
			if ParseStat([]byte(line[:cut]), &s) {
				t.Errorf("%q is understood", line[:cut])
			}
		}
	}
}

func TestParseStatOfSelf(t *testing.T) {
	b, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	var s Stat
	if !ParseStat(b, &s) || int(s.PPID) != os.Getppid() || s.Threads < 1 || s.Start == 0 ||
		s.MM.StartStack == 0 {
		t.Errorf("%q: %+v", b, s)
	}
	if n := testing.AllocsPerRun(100, func() { ParseStat(b, &s) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(statLine("a) b")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Stat
		if ParseStat(b, &s) && (len(b) < len("() S") || s.State == 0 && !strings.Contains(string(b), "\x00")) {
			t.Errorf("%q: %+v", b, s)
		}
	})
}
