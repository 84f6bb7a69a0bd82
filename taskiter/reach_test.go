// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"testing"

	"github.com/landlockd/landlockd/test/rulesets"
)

// TestReach: of 500 random sandboxes, in mount namespaces and with roots of their own,
// nothing that a scan says is denied was reached, by any name and by any call.
func TestReach(t *testing.T) {
	ground, err := rulesets.NewGround(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := openSource(t, Options{})
	if s.NoWays() != "" {
		t.Fatal(s.NoWays())
	}
	s.Resolve(ground)
	m, _ := maker(t, newSite(t))
	got, faults := ground.Try(s, m, 500)
	for _, err := range faults {
		t.Error(err)
	}
	t.Log(got)
	if got.Places == 0 || got.Doubtful*20 > got.Places {
		t.Errorf("too many are in doubt: %s", got)
	}
}
