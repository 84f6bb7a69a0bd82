// SPDX-License-Identifier: Apache-2.0

package procdir

import (
	"os"
	"testing"
)

const status = "Name:\tUid:\t9\t9\nUmask:\t0022\nUid:\t1\t4294967295\t3\t4\nGroups:\t9 10 \n" +
	"CapEff:\t000001ffffffffff\nSeccomp:\t2\nSeccomp_filters:\t9\n"

func TestStatus(t *testing.T) {
	s := Status(status)
	if v, ok := s.Line("Groups"); !ok || string(v) != "9 10" {
		t.Errorf("groups %q, %v", v, ok)
	}
	if v, ok := s.Set("CapEff"); !ok || v != 1<<41-1 {
		t.Errorf("capabilities %x, %v", v, ok)
	}
	for i, want := range []uint32{1, 1<<32 - 1, 3, 4} {
		if v, ok := s.Number("Uid", i); !ok || v != want {
			t.Errorf("user %d: %d, %v", i, v, ok)
		}
	}
	for what, ok := range map[string]bool{
		"a fifth user": second(s.Number("Uid", 4)), "part of a name": second(s.Number("Seccom", 0)),
		"no line": second(s.Number("NoNewPrivs", 0)), "no number": second(s.Number("Groups", 0)),
		"no set": second(s.Set("Groups")), "more than 32 bits": second(Status("\nUid:\t4294967296").Number("Uid", 0)),
		"negative":  second(Status("\nUid:\t-1").Number("Uid", 0)),
		"two lines": second(Status("\nUid:\t1\nUid:\t1\n").Number("Uid", 0)),
	} {
		if ok {
			t.Errorf("%s: is understood", what)
		}
	}
}

func second[T any](_ T, ok bool) bool { return ok }

func TestStatusOfSelf(t *testing.T) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	s := Status(b)
	const effective = 1
	n := testing.AllocsPerRun(100, func() {
		if uid, ok := s.Number("Uid", effective); !ok || int(uid) != os.Geteuid() {
			t.Errorf("user %d, %v", uid, ok)
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(status), "Uid", 1)
	f.Fuzz(func(t *testing.T, b []byte, name string, i int) {
		s, i := Status(b), min(max(i, 0), 100)
		line, found := s.Line(name)
		if _, ok := s.Number(name, i); ok && !found || found && len(line) > len(b) {
			t.Errorf("%q", line)
		}
		s.Set(name)
	})
}
