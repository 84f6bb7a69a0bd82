// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// TestCollectLate: garbage is collected late for the first time, and from then on as usual.
func TestCollectLate(t *testing.T) {
	percent := func() uint64 {
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	t.Setenv("GOGC", "50") // is put back
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	if collectLate(); percent() != 50 {
		t.Errorf("GOGC is set, and it is %d %%", percent())
	}
	if err := os.Unsetenv("GOGC"); err != nil {
		t.Fatal(err)
	}
	if collectLate(); percent() != 400 {
		t.Errorf("it is %d %% until the first collection", percent())
	}
	for began := time.Now(); percent() != 100; runtime.GC() {
		if time.Since(began) > time.Minute {
			t.Fatalf("it is %d %% after it", percent())
		}
	}
}
