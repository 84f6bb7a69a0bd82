// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"strings"
	"testing"
)

func TestWithout(t *testing.T) {
	got := without("CONFIG_A=y\nCONFIG_AB=y\n# text\nCONFIG_C=\"x\"\n", []string{"A", "C"})
	if want := "CONFIG_AB=y\n# text\n# CONFIG_A is not set\n# CONFIG_C is not set\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What is built depends on what the patches change, not on what they say.
func TestSeries(t *testing.T) {
	for _, version := range []string{"6.12", "6.18", "7.3"} {
		series, err := readSeries("../../../deploy/kernel/" + version)
		if err != nil {
			t.Fatal(err)
		}
		image, attrTest := patchedKernel{series: series}.products()
		for _, p := range []product{image, attrTest} {
			if n := len(p.patches); n == 0 || n == len(series) {
				t.Errorf("%s: %s depends on %d of %d patches", version, p.name, n, len(series))
			}
			for _, patch := range p.patches {
				if !bytes.HasPrefix(patch.diff, []byte("diff --git ")) || bytes.Contains(patch.diff, []byte("\nFrom: ")) {
					t.Errorf("%s: %s is not cut to its diff", version, patch.name)
				}
			}
		}
	}
}

func TestMissing(t *testing.T) {
	const result = "#\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n"
	if err := missing(result, "# text\nCONFIG_A=y\n# CONFIG_C is not set\n# CONFIG_D is not set\n"); err != nil {
		t.Error(err)
	}
	for _, wanted := range []string{"CONFIG_B=y", "CONFIG_C=y", "# CONFIG_A is not set", "CONFIG_D=y"} {
		if err := missing(result, wanted); err == nil {
			t.Errorf("missing(%q) says nothing", wanted)
		}
	}
}

func TestConfigIsWhole(t *testing.T) {
	for _, option := range []string{"SECURITY_LANDLOCK", "DEBUG_INFO_BTF", "WERROR"} {
		if !strings.Contains(baseConfig+daemonConfig, "CONFIG_"+option+"=y\n") {
			t.Errorf("CONFIG_%s is not wanted", option)
		}
	}
}
