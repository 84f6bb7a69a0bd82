// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"testing"

	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

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
	for number, want := range map[uint32]string{0: "", 1: "/user.slice/x:y", 12: "/a", 3: "", 4: ""} {
		v2, v1 := parseCgroup([]byte(text), number)
		if string(v2) != "/system.slice/a.service" || string(v1) != want {
			t.Errorf("hierarchy %d: %s %s", number, v2, v1)
		}
	}
}

func TestHidePIDOf(t *testing.T) {
	mounts := []procdir.Mount{
		{Dev: "0:22", Options: "rw"}, {Dev: "0:23", Options: "rw,gid=5,hidepid=invisible"},
		{Dev: "0:24", Options: "rw,hidepid=1"}, {Dev: "0:25", Options: "rw,hidepid=ptraceable"},
	}
	for device, want := range map[string]string{
		"0:22": "off", "0:23": "invisible", "0:24": "noaccess", "0:25": "ptraceable", "0:99": "off",
	} {
		if got := hidepidOf(mounts, device); got != want {
			t.Errorf("%s: %q, want %q", device, got, want)
		}
	}
}
