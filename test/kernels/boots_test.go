// SPDX-License-Identifier: Apache-2.0

package kernels

import (
	"slices"
	"strings"
	"testing"
)

func TestMatrix(t *testing.T) {
	mandatory := make(map[string]bool)
	seen := make(map[string]bool)
	for _, g := range Matrix() {
		if g.Mandatory {
			mandatory[g.Name()] = true
		}
		for _, b := range slices.Concat(g.Boots, g.Long) {
			name := g.Name() + "/" + b.Name
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			line := b.CommandLine + leftOut + strings.Join(b.Checks, ",")
			if strings.ContainsAny(line, "\"\n") || len(line) > 950 {
				t.Errorf("%s: command line %q", name, line)
			}
		}
	}
	for _, name := range []string{"6.1", "6.12", "6.12-rt", "6.12-patched", "7.3-patched"} {
		if !mandatory[name] {
			t.Errorf("%s is not mandatory", name)
		}
	}
}
