// SPDX-License-Identifier: Apache-2.0

package web

import (
	"log/slog"
	"sync"
	"time"

	"github.com/landlockd/landlockd/scan"
)

// logPause is the least time between two lines of an outcomeLog: clients choose
// their timeouts, and could make every other scrape fail.
const logPause = 10 * time.Second

// outcomeLog logs how scans go, once for each change: a host whose kernel cannot
// do it would otherwise write the same line at every scrape.
type outcomeLog struct {
	logger *slog.Logger

	mu     sync.Mutex
	reason string // of the failure that was logged last; empty after a success
	at     time.Time
}

// report takes the error of each scrape's scan, nil for a success.
func (l *outcomeLog) report(err error) {
	reason := ""
	if err != nil {
		reason = scan.FailureReason(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	// A change that lasts is logged by the first report after the pause.
	if reason == l.reason || (!l.at.IsZero() && time.Since(l.at) < logPause) {
		return
	}
	l.reason, l.at = reason, time.Now()
	if reason == "" {
		l.logger.Info("scans succeed again")
		return
	}
	l.logger.Warn("scan failed", "reason", reason, "err", err)
}
