// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/scan"
)

// A first scan that takes long, as users can make it, does not keep the daemon from being
// ready: service managers end a start that takes a minute.
func TestAnnounceWaitsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := slowSource{make(chan struct{})}
		shared := scan.NewShared(src, scan.SharedOptions{})
		d := &Daemon{
			o:      Options{Logger: slog.New(slog.DiscardHandler)},
			opened: &opened{config: policy.Default(), found: sources.Found{}},
		}
		began := time.Now()
		d.announce(t.Context(), shared)
		if took := time.Since(began); took != firstScan {
			t.Errorf("it took %s", took)
		}
		close(src.end)
		if err := shared.Close(); err != nil {
			t.Error(err)
		}
	})
}
