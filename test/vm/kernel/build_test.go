// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestWithout(t *testing.T) {
	got := without("CONFIG_A=y\nCONFIG_AB=y\n# text\nCONFIG_C=\"x\"\n", []string{"A", "C"})
	if want := "CONFIG_AB=y\n# text\n# CONFIG_A is not set\n# CONFIG_C is not set\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The patch for 6.12 makes IDs of its own; that for 7.3 takes those of the log.
func TestVariants(t *testing.T) {
	for series, want := range map[string][]string{"6.12": {"without-landlock"}, "7.3": {"without-landlock", "without-log"}} {
		patch, err := os.ReadFile("../../../deploy/kernel/linux-" + series + "-landlock-attr-domain.patch")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range variants {
			if v.concerns(patch) {
				got = append(got, v.name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: variants %v, want %v", series, got, want)
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
