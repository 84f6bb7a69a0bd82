// SPDX-License-Identifier: Apache-2.0

package access

import (
	"strings"
	"testing"
)

func TestErrata(t *testing.T) {
	for i, e := range Errata() {
		if e.Number != i+1 || Release(e.ABI) == "" || e.Text == "" ||
			!strings.HasSuffix(e.Without, ".") || strings.ContainsAny(e.Text+e.Without, "|") {
			t.Errorf("%+v", e)
		}
	}
	for _, w := range AllWays() {
		if w.Erratum > len(Errata()) {
			t.Errorf("%s: no erratum %d", w, w.Erratum)
		}
	}
}
