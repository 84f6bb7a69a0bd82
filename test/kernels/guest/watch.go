// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/truth"
)

// watch has a daemon scan without a pause, asks it for all that it knows, and scans again and
// again itself. It judges both.
type watch struct {
	stopping atomic.Bool
	done     sync.WaitGroup
	// served judges the daemon, and scanned the watch's own scans.
	served, scanned *stays
	// pages is how often metrics were scraped, and unanswered how often nothing came.
	pages, unanswered int
	// remembered are the denials that the daemon had when it was asked last.
	remembered atomic.Pointer[[]denials.Denial]
	// judged: a scan said something that could have been wrong.
	judged atomic.Bool
	errs   [2]error
}

func startWatch(d *running, source scan.Source) *watch {
	w := &watch{served: newStays(), scanned: newStays()}
	w.remembered.Store(new([]denials.Denial))
	for i, look := range []func() error{
		func() error { return w.ask(d) },
		func() error { return w.scan(source) },
	} {
		w.done.Go(func() {
			for w.errs[i] == nil && !w.stopping.Load() {
				w.errs[i] = look()
			}
		})
	}
	return w
}

// scrapes is how often metrics are scraped before all is asked for once: that takes long.
const scrapes = 8

// ask has the daemon answer. On a machine that is slow enough it closes connections that
// take too long: that is counted, and no fault.
func (w *watch) ask(d *running) error {
	for range scrapes {
		if _, err := d.page(); err != nil {
			w.unanswered++
		}
		w.pages++
	}
	ctx, cancel := context.WithTimeout(context.Background(), daemonTime)
	defer cancel()
	remembered, err := api.AskDenials(ctx, api.DefaultPath, 0)
	if err != nil {
		w.unanswered++
		return nil
	}
	w.remembered.Store(&remembered.Denials)
	snap, err := api.AskSnapshot(ctx, api.DefaultPath)
	if err != nil {
		w.unanswered++
		return nil
	}
	w.served.look(snap, remembered.Denials)
	return nil
}

// pause is between two scans of the watch's own, so that most of the only processor is left
// to the tests and the daemon.
const pause = 5 * time.Millisecond

func (w *watch) scan(source scan.Source) error {
	before := *w.remembered.Load()
	snap, err := source.Scan(context.Background())
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	w.scanned.look(snap, before)
	w.judged.Store(w.scanned.again > 0)
	time.Sleep(pause)
	return nil
}

// stop ends the watch and states what came of it.
func (w *watch) stop(t *T) {
	w.stopping.Store(true)
	w.done.Wait()
	t.Must(errors.Join(w.errs[:]...))
	t.Fact("stays", fmt.Sprintf("landlockd, scraped %d times beside (%d requests without an answer): %s", w.pages, w.unanswered, w.served))
	t.Fact("stays", fmt.Sprintf("scans: %s", w.scanned))
	for _, s := range []*stays{w.served, w.scanned} {
		truth.Fail(t.Errorf, "false", s.wrong)
	}
	if w.served.scans == 0 {
		t.Errorf("landlockd answered nothing")
	}
	if w.scanned.again == 0 {
		t.Errorf("no task was seen twice in a domain: nothing could be wrong")
	}
}
