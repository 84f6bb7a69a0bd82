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
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/truth"
)

// watch has a daemon scan without a pause, asks it for all that it knows, and scans again and
// again itself. It judges both.
type watch struct {
	stopping atomic.Bool
	done     sync.WaitGroup
	// served judges the daemon, and scanned the watch's own scans, which mu guards.
	served, scanned *stays
	mu              sync.Mutex
	// reported are the denials that the daemon reported. With joining some must be of tasks that
	// scans saw.
	reported joins
	joining  bool
	// pages is how often metrics were scraped, and unanswered how often nothing came.
	pages, unanswered int
	// judged: a scan said something that could have been wrong, and, with joining, of a task
	// that was denied something.
	judged atomic.Bool
	errs   [2]error
}

func startWatch(d *running, source scan.Source, joining bool) *watch {
	w := &watch{served: newStays(), scanned: newStays(), joining: joining}
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
		w.askDenials()
	}
	ctx, cancel := context.WithTimeout(context.Background(), daemonTime)
	defer cancel()
	snap, err := api.AskSnapshot(ctx, api.DefaultPath)
	if err != nil {
		w.unanswered++
		return nil
	}
	w.served.look(snap)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.judged.Load() {
		w.judged.Store(w.scanned.again > 0 && (!w.joining || w.reported.by(w.scanned).tasks > 0))
	}
	return nil
}

// askDenials asks for denials often: landlockd forgets them.
func (w *watch) askDenials() {
	ctx, cancel := context.WithTimeout(context.Background(), daemonTime)
	defer cancel()
	remembered, err := api.AskDenials(ctx, api.DefaultPath, 0)
	if err != nil {
		w.unanswered++
		return
	}
	w.reported.add(remembered.Denials)
}

// pause is between two scans of the watch's own, so that most of the only processor is left
// to the tests and the daemon.
const pause = 5 * time.Millisecond

func (w *watch) scan(source scan.Source) error {
	snap, err := source.Scan(context.Background())
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	w.mu.Lock()
	w.scanned.look(snap)
	w.mu.Unlock()
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
	joined := w.reported.by(w.scanned)
	if same, wrong := sameDomains(w.served, w.scanned); len(w.scanned.domains) > 0 {
		t.Fact("stays", fmt.Sprintf("landlockd reported %d denials, each task and domain once: scans saw %d of the tasks in the domain, "+
			"and %d of the domains; %d cannot be. Scans saw %d domains, and landlockd showed %d of them, %d otherwise",
			len(w.reported.denied), joined.tasks, joined.domains, len(joined.wrong), len(w.scanned.domains), same, len(wrong)))
		truth.Fail(t.Errorf, "differing", wrong)
	}
	for _, wrong := range [][]string{w.served.wrong, w.scanned.wrong, joined.wrong, w.reported.by(w.served).wrong} {
		truth.Fail(t.Errorf, "false", wrong)
	}
	if w.joining && joined.tasks == 0 {
		t.Errorf("no task was seen in a domain that denied something to it: no denial could be judged")
	}
	if w.served.scans == 0 {
		t.Errorf("landlockd answered nothing")
	}
	if w.scanned.again == 0 {
		t.Errorf("no task was seen twice in a domain: nothing could be wrong")
	}
}
