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
	const own = 50
	// Until it is so: what other tests ran may have its first collection meanwhile.
	eventually := func(want uint64, try func()) {
		t.Helper()
		sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		for began := time.Now(); ; {
			try()
			metrics.Read(sample)
			if got := sample[0].Value.Uint64(); got == want {
				return
			} else if time.Since(began) > time.Minute {
				t.Fatalf("the heap grows by %d %%, want %d", got, want)
			}
		}
	}
	t.Setenv("GOGC", "50") // is put back
	defer debug.SetGCPercent(debug.SetGCPercent(own))
	eventually(own, func() {
		debug.SetGCPercent(own)
		collectLate()
	})
	if err := os.Unsetenv("GOGC"); err != nil {
		t.Fatal(err)
	}
	eventually(400, collectLate)
	eventually(100, runtime.GC)
}
