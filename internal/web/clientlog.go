// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"log"
	"log/slog"
	"time"
)

// validatePause is the least time between two looks of a clientLog.
const validatePause = time.Minute

// clientLog is where a http.Server logs. Mostly that is what clients do wrong, which is not
// for the operator's log; but a handshake fails, too, if the certificate cannot be read any
// more, and nothing else says so.
type clientLog struct {
	config string // the web configuration
	logger *slog.Logger
	looked time.Time
}

func newClientLog(config string, logger *slog.Logger) *log.Logger {
	return log.New(&clientLog{config: config, logger: logger}, "", 0)
}

// Write takes one line. log.Logger calls it for one after the other.
func (l *clientLog) Write(line []byte) (int, error) {
	l.logger.Debug(string(bytes.TrimSpace(line)))
	if !bytes.Contains(line, []byte("TLS handshake error")) || time.Since(l.looked) < validatePause {
		return len(line), nil
	}
	l.looked = time.Now()
	if err := ValidateConfig(l.config); err != nil {
		l.logger.Error("Nobody can connect: --web.config.file is not valid any more",
			"file", l.config, "err", err)
	}
	return len(line), nil
}
