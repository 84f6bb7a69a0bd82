// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"os"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

func TestParseStat(t *testing.T) {
	for _, comm := range []string{"x", "", ")", "a) S 1 (b", "\n) Z 9", "((((", strings.Repeat("y", 40)} {
		var s stat
		line := statLine(7, 3, comm, 'D', pfKthread, 5, 123, 456)
		if !parseStat([]byte(line), &s) {
			t.Errorf("%q is not understood", line)
			continue
		}
		if got, want := s.comm.String(), comm[:min(len(comm), 15)]; got != want {
			t.Errorf("name %q, want %q", got, want)
		}
		if s.state != 'D' || s.ppid != 3 || s.flags != pfKthread || s.threads != 5 || s.start != 123*tick || s.mm.startStack != 456 || s.dead() {
			t.Errorf("%q: %+v", line, s)
		}
		for cut := range len(line) - len(" 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n") - 3 {
			if parseStat([]byte(line[:cut]), &s) {
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
	var s stat
	if !parseStat(b, &s) || int(s.ppid) != os.Getppid() || s.threads < 1 || s.start == 0 || s.mm.startStack == 0 {
		t.Errorf("%q: %+v", b, s)
	}
	if b, err = os.ReadFile("/proc/self/status"); err != nil {
		t.Fatal(err)
	}
	if _, understood := parseStatus(b); !understood {
		t.Errorf("status is not understood: %q", b)
	}
}

func TestParseStatus(t *testing.T) {
	s, understood := parseStatus([]byte("Name:\tUid:\t9\t9\nUid:\t1\t4294967295\t3\t4\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t9\n"))
	if want := (status{1<<32 - 1, scan.NoNewPrivs | scan.SeccompFilter}); !understood || s != want {
		t.Errorf("%+v, %v; want %+v", s, understood, want)
	}
	const name, uid = "Name:\tx\n", "Uid:\t1\t2\t3\t4\n"
	for _, text := range []string{
		"", "NoNewPrivs:\t1\nSeccomp:\t0\n", name + uid + "NoNewPrivs:\tx\nSeccomp:\t0\n", name + uid + "NoNewPrivs:\t1\n",
		name + "NoNewPrivs:\t1\nSeccomp:\t0\n", name + "Uid:\t1\nNoNewPrivs:\t1\nSeccomp:\t0\n",
		name + "Uid:\t1\t\nNoNewPrivs:\t1\nSeccomp:\t0\n", name + "Uid:\t1\t4294967296\nNoNewPrivs:\t1\nSeccomp:\t0\n",
		name + "Uid:\t", name + "Uid:\t7",
	} {
		if _, understood := parseStatus([]byte(text)); understood {
			t.Errorf("%q is understood", text)
		}
	}
}

func TestParseCgroup(t *testing.T) {
	const text = "12:pids,memory:/a\nx\n1:name=systemd:/user.slice/x:y\n" +
		"0::/system.slice/a.service\n3::rel\n1x:cpu:/z\n0:cpu:/z\n"
	for v1, want := range map[uint32]string{0: "", 1: "/user.slice/x:y", 12: "/a", 3: "", 4: ""} {
		p := parseCgroup([]byte(text), v1)
		if string(p.v2) != "/system.slice/a.service" || string(p.v1) != want {
			t.Errorf("hierarchy %d: %s %s", v1, p.v2, p.v1)
		}
	}
}

func TestHidePIDOf(t *testing.T) {
	const info = `25 30 0:22 / /proc rw,nosuid - proc proc rw
26 30 0:23 / /a rw - proc proc rw,gid=5,hidepid=invisible
27 30 0:24 / /b rw shared:1 - proc proc rw,hidepid=1
28 30 0:25 / /c rw - proc proc rw,hidepid=ptraceable
`
	for device, want := range map[string]string{"0:22": "off", "0:23": "invisible", "0:24": "noaccess", "0:25": "ptraceable", "0:99": "off"} {
		if got := hidepidOf([]byte(info), device); got != want {
			t.Errorf("%s: %q, want %q", device, got, want)
		}
	}
}
