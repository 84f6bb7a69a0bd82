// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/rulesets"
)

// TestReach: of 500 random sandboxes, in mount namespaces and with roots of their own,
// nothing that a scan says is denied or out of reach was reached, by any name and by any call.
func TestReach(t *testing.T) {
	ground, err := rulesets.NewGround(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ground.Close)
	s := openSource(t, Options{})
	if s.NoWays() != "" {
		t.Fatal(s.NoWays())
	}
	s.Resolve(ground)
	m, _ := maker(t, newSite(t))
	began := time.Now()
	got, faults := ground.Try(s, m, 500)
	for _, err := range faults {
		t.Error(err)
	}
	t.Logf("%s; %s", got, time.Since(began).Round(time.Second))
	if err := got.Enough(); err != nil {
		t.Error(err)
	}
	if never := got.Never(); len(never) > 0 {
		t.Errorf("no sandbox let these calls have success: %q", never)
	}
	if len(got.Unable) > 0 {
		t.Errorf("these calls fail without a sandbox, too: %q", got.Unable)
	}
}
