// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/kernels"
)

func TestMatrixNamesChecks(t *testing.T) {
	used := map[string]bool{
		"kernel": true, // in every boot
		"cost":   true, // test/bench boots it
	}
	for _, g := range kernels.Matrix() {
		for _, b := range slices.Concat(g.Boots, g.Long) {
			for _, c := range b.Checks {
				name, _, _ := strings.Cut(c, ":")
				used[name] = true
				if registry[name] == nil {
					t.Errorf("%s/%s: no check is named %q", g.Name(), b.Name, name)
				}
			}
		}
	}
	for name := range registry {
		if !used[name] {
			t.Errorf("no boot runs the check %q", name)
		}
	}
}
