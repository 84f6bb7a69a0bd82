// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

const (
	churnLimit = 300
	// The share of observations that may be unknown because the process
	// changed.
	mostChanging = 0.002
	// The share of the mixed family that may have no record: a parent has yet
	// to say whom it made, or records were used anew while the judge waited for
	// a processor. Both last as long as other work of the host makes them.
	mostUnmatched = 0.1
)

// TestChurn scans back to back while processes change as fast as the host can
// make them. No statement may be false at every instant of its scan.
func TestChurn(t *testing.T) {
	src := source(t, taskiter.Options{})
	churn, err := StartChurn(t.Context(), actor(t), uint64(time.Now().UnixNano()), churnLimit)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := churn.Close(); err != nil {
			t.Error(err)
		}
	}()
	time.Sleep(100 * time.Millisecond) // until the families have their names
	var sum Verdict
	var kernel scan.Kernel
	passes, longest, began := 0, time.Duration(0), time.Now()
	for time.Since(began) < *churnFlag {
		snap, err := churn.Look(t.Context(), src, &sum)
		if err != nil {
			t.Fatal(err)
		}
		kernel = snap.Kernel
		passes += snap.Passes
		longest = max(longest, snap.Duration)
	}
	report(t, &sum, churn.Done(), passes, longest)
	if kernel.Landlock != scan.Enabled {
		t.Skip("Landlock is not enabled: nothing could be wrong")
	}
	for _, family := range []string{Always, Never, Mixed} {
		if sum.Observed[family] == nil {
			t.Errorf("no process of the family %s was seen", family)
		}
	}
	for _, s := range []scan.State{scan.Sandboxed, scan.Partial, scan.Unsandboxed} {
		if sum.Steady[s] == 0 {
			t.Errorf("no mixed process was steadily %s during a scan: nothing could be wrong", s)
		}
	}
	for kind, n := range churn.Done() {
		if n == 0 {
			t.Errorf("the churn did no %s", kind)
		}
	}
}

func report(t *testing.T, sum *Verdict, done map[string]uint64, passes int, longest time.Duration) {
	t.Helper()
	total := sum.Total()
	share := float64(sum.Changing) / float64(max(total, 1))
	t.Logf("%d scans (%d passes, longest %v), %d observations of churning processes, %d false statements, %d unknown{reason=changing} (%.3f %%), %d without a record",
		sum.Scans, passes, longest.Round(time.Microsecond), total, len(sum.False), sum.Changing, 100*share, sum.Unmatched)
	for _, family := range slices.Sorted(maps.Keys(sum.Observed)) {
		for _, s := range scan.States() {
			t.Logf("%10d %s %s", sum.Observed[family][s], family, s)
		}
	}
	for _, s := range scan.States() {
		if s != scan.Unknown {
			t.Logf("%10d %s steadily %s", sum.Steady[s], Mixed, s)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(done)) {
		t.Logf("%10s %s", strconv.FormatUint(done[kind], 10), kind)
	}
	Fail(t.Errorf, "false", sum.False)
	if share > mostChanging {
		t.Errorf("%.2f %% of the observations are unknown because they change, want at most %.2f %%", 100*share, 100*mostChanging)
	}
	if n := sum.Observed[Mixed]; n != nil {
		of := n[0] + n[1] + n[2] + n[3]
		if float64(sum.Unmatched) > mostUnmatched*float64(of) {
			t.Errorf("%d of %d processes of the mixed family have no record", sum.Unmatched, of)
		}
	}
}
