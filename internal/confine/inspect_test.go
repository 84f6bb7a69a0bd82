// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"debug/elf"
	"os"
	"slices"
	"strings"
	"testing"
)

const confinedStatus = "Name:\tlandlockd\nUid:\t65534\t65534\t65534\t65534\nGid:\t0\t0\t0\t0\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n" +
	"CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t1\n"

func TestParseStatus(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		want           threadStatus
		fails          bool
	}{
		{name: "confined", want: threadStatus{noNewPrivs: true, filtered: true}},
		{"effective", "CapEff:\t0000000000000000", "CapEff:\t0000008000000000", threadStatus{capabilities: 1 << 39, noNewPrivs: true, filtered: true}, false},
		{"permitted", "CapPrm:\t0000000000000000", "CapPrm:\t0000000000000001", threadStatus{capabilities: 1, noNewPrivs: true, filtered: true}, false},
		{"inheritable", "CapInh:\t0000000000000000", "CapInh:\t8000000000000000", threadStatus{capabilities: 1 << 63, noNewPrivs: true, filtered: true}, false},
		{"ambient", "CapAmb:\t0000000000000000", "CapAmb:\t0000000000000004", threadStatus{capabilities: 4, noNewPrivs: true, filtered: true}, false},
		{"no filter", "Seccomp:\t2", "Seccomp:\t0", threadStatus{noNewPrivs: true}, false},
		{"a kernel without seccomp", "Seccomp:\t2\n", "", threadStatus{noNewPrivs: true}, false},
		{"no no_new_privs", "NoNewPrivs:\t1", "NoNewPrivs:\t0", threadStatus{filtered: true}, false},
		{"root", "65534\t65534\t65534\t65534", "0\t0\t0\t0", threadStatus{noNewPrivs: true, filtered: true, root: true}, false},
		{"saved root", "65534\t65534\t65534\t65534", "65534\t65534\t0\t65534", threadStatus{noNewPrivs: true, filtered: true, root: true}, false},
		{"file system root", "65534\t65534\t65534\t65534", "65534\t65534\t65534\t0", threadStatus{noNewPrivs: true, filtered: true, root: true}, false},
		{"user 10", "65534\t65534\t65534\t65534", "10\t100\t1000\t10000", threadStatus{noNewPrivs: true, filtered: true}, false},
		{name: "broken", old: "CapEff:\t0000000000000000", new: "CapEff:\tnone", fails: true},
		{name: "no effective set", old: "CapEff:", new: "CapXff:", fails: true},
		{name: "no ambient set", old: "CapAmb:", new: "CapXmb:", fails: true},
		{name: "no user", old: "Uid:", new: "uid:", fails: true},
		{name: "no line NoNewPrivs", old: "NoNewPrivs:\t1\n", new: "", fails: true},
		// Names are hostile text, but the kernel escapes line feeds in them.
		{"a name that looks like another line", "Name:\tlandlockd", "Name:\tNoNewPrivs:\t0", threadStatus{noNewPrivs: true, filtered: true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(confinedStatus, c.old) {
				t.Fatalf("%q is not there to be replaced", c.old)
			}
			got, err := parseStatus([]byte(strings.Replace(confinedStatus, c.old, c.new, 1)))
			if (err != nil) != c.fails || !c.fails && got != c.want {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

// FuzzParseStatus: whatever the text, what is accepted had every line, and every
// line on a privilege was read.
func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(confinedStatus))
	f.Add([]byte(""))
	f.Add([]byte("Uid:\n"))
	f.Add([]byte(strings.ReplaceAll(confinedStatus, "65534", "0")))
	if b, err := os.ReadFile("/proc/self/status"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := parseStatus(b)
		if err != nil {
			return
		}
		for _, want := range []string{"Uid:", "CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "NoNewPrivs:"} {
			if !strings.Contains(string(b), want) {
				t.Errorf("accepted without a line %s", want)
			}
		}
		for line := range strings.Lines(string(b)) {
			key, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
			if key == "Uid" && slices.Contains(strings.Fields(value), "0") && !got.root {
				t.Errorf("line %q, but not root", line)
			}
		}
	})
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
