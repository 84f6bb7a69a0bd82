// SPDX-License-Identifier: Apache-2.0

package known

import (
	"os/exec"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
)

func TestUpstream(t *testing.T) {
	for version, want := range map[string]string{
		"5.8.1": "5.8.1", "1:7.0.10-1+deb13u4": "7.0.10", "5.6.1+really5.4.5-1": "5.4.5",
		"3.8.2-4+b1": "3.8.2", "2.41-rc1-2": "2.41-rc1", "": "",
	} {
		if got := upstream(version); got != want {
			t.Errorf("%q: %q, want %q", version, got, want)
		}
	}
}

// TestCompare: versions compare as dpkg(1) compares them, where there is one.
func TestCompare(t *testing.T) {
	versions := []string{
		"0", "0.9~rc1", "0.9~rc1.1", "0.9", "0.9a", "0.9.1", "1.0~~", "1.0~", "1.0", "1.0.0", "1.0+git1", "1.2",
		"1.10", "1.010", "2b", "2.0", "10", "5.6.2", "5.4.1", "5.6.1alpha", "3.7.rc",
	}
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Log("no dpkg is here to compare with")
	}
	sign := map[int]string{-1: "lt", 0: "eq", 1: "gt"}
	for i, a := range versions {
		for j, b := range versions {
			got := compare(a, b)
			if compare(b, a) != -got {
				t.Errorf("%s and %s: %d, and %d", a, b, got, compare(b, a))
			}
			if dpkg != "" && (i < j || i == j) &&
				exec.Command(dpkg, "--compare-versions", a, sign[got], b).Run() != nil {
				t.Errorf("%s %s %s: dpkg says otherwise", a, sign[got], b)
			}
		}
	}
	for _, c := range [][2]string{{"5.4.1", "5.6.2"}, {"0.80.0", "0.116.0"}, {"9", "10"}} {
		if compare(c[0], c[1]) >= 0 {
			t.Errorf("%s is not less than %s", c[0], c[1])
		}
	}
}

func TestSandboxes(t *testing.T) {
	always := &policy.Known{}
	since := &policy.Known{Since: "5.6.2"}
	until := &policy.Known{Until: "0.116.0", Checked: &policy.Checked{Version: "0.80.0"}}
	for _, c := range []struct {
		known   *policy.Known
		version string
		want    access.Answer
	}{
		{always, "", access.Yes},
		{always, "1", access.Yes},
		{since, "", access.Unknown},
		{since, "5.4.1", access.No},
		{since, "5.6.2", access.Yes},
		{since, "6", access.Yes},
		{until, "", access.Unknown},
		{until, "0.79.1", access.Yes},
		{until, "0.80.0", access.Yes},
		{until, "0.100.0", access.Unknown},
		{until, "0.116.0", access.No},
		{until, "0.171.0", access.No},
	} {
		if got := sandboxes(c.known, c.version); got != c.want {
			t.Errorf("%s of %+v: %s, want %s", c.version, c.known, got, c.want)
		}
	}
}
