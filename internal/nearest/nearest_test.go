// SPDX-License-Identifier: Apache-2.0

package nearest

import (
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	known := []string{"services", "serve", "ps", "tree", "check", "check-config", "explain", "--größe"}
	for word, want := range map[string]string{
		"srvices": "services", "sevrices": "services", "servicess": "services", "service": "services",
		"servce": "serve", "tre": "tree", "pss": "ps", "sp": "ps", "chekc": "check", "check-confg": "check-config",
		"explian": "explain", "tree": "tree", "--groesse": "", "--größer": "--größe", "--grösse": "--größe",
		"": "", "x": "", "top": "", "kill": "", "\xff": "", strings.Repeat("tree", 1000): "",
	} {
		if got := Word(word, known); got != want {
			t.Errorf("%.20q is taken for %q, want %q", word, got, want)
		}
	}
	if got := Hint("tre", known) + Hint("kill", known); got != ": did you mean tree?" {
		t.Errorf("%q", got)
	}
}
