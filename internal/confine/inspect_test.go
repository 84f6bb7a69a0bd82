// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/landlock"
)

const confinedStatus = "Name:\tlandlockd\nUid:\t65534\t65534\t65534\t65534\n" +
	"Gid:\t65533\t65533\t65533\t65533\nGroups:\t \nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n" +
	"CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"

// meant is the goal that confinedStatus reaches; kept lets users, groups, a capability and
// the bounding set be what they are.
var (
	meant = Goal{UID: 65534, GID: 65533, Bounding: true}
	kept  = Goal{UID: -1, GID: -1, Keep: []int{unix.CAP_BPF}}
)

const threadMechanisms = 1<<Capabilities | 1<<Groups | 1<<NoNewPrivs | 1<<Seccomp | 1<<UserID

// held returns a status of which these mechanisms hold.
func held(mechanisms int) (s Status) {
	for m := range s {
		if mechanisms>>m&1 != 0 {
			s[m] = Holds
		}
	}
	return s
}

func TestAddThread(t *testing.T) {
	const user, group = "65534\t65534\t65534\t65534", "65533\t65533\t65533\t65533"
	for _, c := range []struct {
		name     string
		goal     Goal
		old, new string
		want     map[Mechanism]Reason // what does not hold
	}{
		{"confined", meant, "", "", nil},
		{"confined, with less asked for", kept, "", "", nil},
		{"effective", meant, "CapEff:\t0000000000000000", "CapEff:\t0000008000000000", map[Mechanism]Reason{Capabilities: ReadBack}},
		{"effective, to be kept", kept, "CapEff:\t0000000000000000", "CapEff:\t0000008000000000", map[Mechanism]Reason{Capabilities: Kept}},
		{"another", kept, "CapEff:\t0000000000000000", "CapEff:\t0000008000000001", map[Mechanism]Reason{Capabilities: ReadBack}},
		{"permitted", meant, "CapPrm:\t0000000000000000", "CapPrm:\t0000000000000001", map[Mechanism]Reason{Capabilities: ReadBack}},
		{"inheritable", meant, "CapInh:\t0000000000000000", "CapInh:\t8000000000000000", map[Mechanism]Reason{Capabilities: ReadBack}},
		{"ambient", meant, "CapAmb:\t0000000000000000", "CapAmb:\t0000000000000004", map[Mechanism]Reason{Capabilities: ReadBack}},
		{"bounding", meant, "CapBnd:\t0000000000000000", "CapBnd:\t0000000000000004", map[Mechanism]Reason{Capabilities: ReadBack}},
		{"bounding, of who cannot empty it", kept, "CapBnd:\t0000000000000000", "CapBnd:\t000001ffffffffff", nil},
		{"no filter", meant, "Seccomp:\t2", "Seccomp:\t0", map[Mechanism]Reason{Seccomp: ReadBack}},
		{"strict mode", meant, "Seccomp:\t2", "Seccomp:\t1", map[Mechanism]Reason{Seccomp: ReadBack}},
		{"a kernel without seccomp", meant, "Seccomp:\t2\n", "", map[Mechanism]Reason{Seccomp: Unsupported}},
		{"no no_new_privs", meant, "NoNewPrivs:\t1", "NoNewPrivs:\t0", map[Mechanism]Reason{NoNewPrivs: ReadBack}},
		{"root", meant, user, "0\t0\t0\t0", map[Mechanism]Reason{UserID: Root}},
		{"root, kept", kept, user, "0\t0\t0\t0", map[Mechanism]Reason{UserID: Root}},
		{"saved root", kept, user, "65534\t65534\t0\t65534", map[Mechanism]Reason{UserID: Root}},
		{"file system root", kept, user, "65534\t65534\t65534\t0", map[Mechanism]Reason{UserID: Root}},
		{"four users", kept, user, "10\t100\t1000\t10000", map[Mechanism]Reason{UserID: ReadBack}},
		{"user 10, kept", kept, user, "10\t10\t10\t10", nil},
		{"user 10", meant, user, "10\t10\t10\t10", map[Mechanism]Reason{UserID: ReadBack}},
		{"root's group", kept, group, "0\t0\t0\t0", map[Mechanism]Reason{Groups: Root}},
		{"saved group", meant, group, "65533\t65533\t7\t65533", map[Mechanism]Reason{Groups: ReadBack}},
		{"more groups", meant, "Groups:\t ", "Groups:\t4 24 ", map[Mechanism]Reason{Groups: ReadBack}},
		{"more groups, kept", kept, "Groups:\t ", "Groups:\t4 24 ", nil},
		{"root's among them", kept, "Groups:\t ", "Groups:\t4 0 24 ", map[Mechanism]Reason{Groups: Root}},
		// Names are hostile text, but the kernel escapes line feeds in them.
		{"a name that looks like another line", meant, "Name:\tlandlockd", "Name:\tNoNewPrivs:\t0", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(confinedStatus, c.old) {
				t.Fatalf("%q is not there to be replaced", c.old)
			}
			got, want := held(threadMechanisms), held(threadMechanisms)
			for m, r := range c.want {
				want[m] = r
			}
			err := got.addThread([]byte(strings.Replace(confinedStatus, c.old, c.new, 1)), c.goal)
			if err != nil || got != want {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
		})
	}
	for _, line := range []string{"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"} {
		for _, broken := range []string{"X" + line + ":", line + ":\tx"} {
			s := held(threadMechanisms)
			if err := s.addThread([]byte(strings.Replace(confinedStatus, line+":", broken, 1)), meant); err == nil {
				t.Errorf("%q is understood", broken)
			}
		}
	}
}

// The worst of all threads counts, and what is meant gives way.
func TestAddThreads(t *testing.T) {
	s := held(threadMechanisms)
	for _, set := range []string{"0000000000000000", "0000008000000000", "0000000000000001", "0000000000000000"} {
		text := strings.Replace(confinedStatus, "CapEff:\t0000000000000000", "CapEff:\t"+set, 1)
		if err := s.addThread([]byte(text), kept); err != nil {
			t.Fatal(err)
		}
	}
	if s[Capabilities] != ReadBack || s[UserID] != Holds {
		t.Errorf("%v", s)
	}
}

// FuzzAddThread: whatever the text, what is accepted had every line, and every
// line on a privilege was read.
func FuzzAddThread(f *testing.F) {
	f.Add([]byte(confinedStatus))
	f.Add([]byte(""))
	f.Add([]byte("Uid:\n"))
	f.Add([]byte(strings.ReplaceAll(confinedStatus, "65534", "0")))
	if b, err := os.ReadFile("/proc/self/status"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := held(threadMechanisms)
		if err := got.addThread(b, kept); err != nil {
			return
		}
		for _, want := range []string{"Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:"} {
			if !strings.Contains(string(b), want) {
				t.Errorf("accepted without a line %s", want)
			}
		}
		for line := range strings.Lines(string(b)) {
			key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
			if key == "Uid" && slices.Contains(strings.Fields(value), "0") && got[UserID] == Holds {
				t.Errorf("line %q, but not root", line)
			}
		}
	})
}

// Every word is there, once, and can be read back.
func TestStatusWords(t *testing.T) {
	seen := map[string]bool{}
	for m := range numMechanisms {
		for r := Unread; r <= ReadBack; r++ {
			want := Failure{m, r}
			text, err := json.Marshal(want)
			var got Failure
			if err := json.Unmarshal(text, &got); err != nil || got != want {
				t.Errorf("%s: %v, %v", text, got, err)
			}
			if err != nil || seen[string(text)] {
				t.Errorf("%s again, %v", text, err)
			}
			seen[string(text)] = true
		}
	}
	var none Status
	if n := len(none.Failures()); n != int(numMechanisms) || len(none.Mechanisms()) != n {
		t.Errorf("where nothing was read, %d fail", n)
	}
	all := held(1<<numMechanisms - 1)
	all[Capabilities] = Kept
	if all.Failures() != nil || all.Mechanisms()["capabilities"] || !all.Mechanisms()["user"] {
		t.Errorf("a capability that is meant: %v, %v", all.Failures(), all.Mechanisms())
	}
	for err, want := range map[error]Reason{
		unix.E2BIG: TooManyLayers, unix.EPERM: Refused, unix.ENOSYS: Unsupported, landlock.ErrDisabled: Unsupported,
	} {
		if got := FailureOf(Landlock, fmt.Errorf("x: %w", err)); got != (Failure{Landlock, want}) {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

func TestCapabilitySet(t *testing.T) {
	if got := capabilitySet([]int{0, 31, 32, 39}); got != [2]uint32{1 | 1<<31, 1 | 1<<7} {
		t.Errorf("%#x", got)
	}
	if got := capabilitySet(nil); got != [2]uint32{} {
		t.Errorf("%#x", got)
	}
}

// TestDynamic compares what the kernel passes with this program's file.
func TestDynamic(t *testing.T) {
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	if got, err := dynamic(); err != nil || got != want {
		t.Errorf("dynamic: %v, %v; want %v", got, err, want)
	}
}
