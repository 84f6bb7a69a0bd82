// SPDX-License-Identifier: Apache-2.0

package inforce

import (
	"context"
	"log/slog"
	"sync"
)

// queue writes to a log for those who must not wait until it is read: users make rules be
// violated as they like, and scrapes find that out. It has room for maxQueued lines.
type queue struct {
	logger  *slog.Logger
	writing sync.WaitGroup // of the one that writes, if there is something to write

	mu    sync.Mutex
	lines []line
	busy  bool
}

const maxQueued = 2 * maxChanges

type line struct {
	level slog.Level
	text  string
	args  []any
}

// add reports whether there was room for a line.
func (q *queue) add(level slog.Level, text string, args ...any) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) == maxQueued {
		return false
	}
	q.lines = append(q.lines, line{level, text, args})
	if !q.busy {
		q.busy = true
		q.writing.Go(q.write)
	}
	return true
}

// write writes all there is.
func (q *queue) write() {
	for {
		q.mu.Lock()
		lines := q.lines
		q.lines, q.busy = nil, len(lines) > 0
		q.mu.Unlock()
		for _, l := range lines {
			q.logger.Log(context.Background(), l.level, l.text, l.args...)
		}
		if len(lines) == 0 {
			return
		}
	}
}
