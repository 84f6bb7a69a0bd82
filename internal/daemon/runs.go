// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"os"
	"time"

	"github.com/landlockd/landlockd/internal/runs/trace"
	"github.com/landlockd/landlockd/taskiter"
)

// runsHandoff is how processes that ended are counted. The zero value: not at all.
type runsHandoff struct {
	// Files is the number of descriptors, and State what else belongs to them.
	Files int         `json:"files,omitempty"`
	State trace.State `json:"state,omitzero"`
	// Since is when counting began.
	Since time.Time `json:"since,omitzero"`
}

// check refuses what no first stage leaves.
func (r runsHandoff) check() error {
	if r.Files != 0 && r.Files != r.State.NumFiles() {
		return fmt.Errorf("processes that end are counted with %d descriptors", r.Files)
	}
	return nil
}

// openRuns begins to count processes that end. Where the kernel cannot, all else is as it
// is without.
func openRuns(o Options, iterator *taskiter.Source) (runsHandoff, []*os.File) {
	if !o.Runs || iterator == nil {
		return runsHandoff{}, nil
	}
	state, files, err := trace.Open(iterator.Layout())
	if err != nil {
		o.Logger.Debug("Processes that end are not counted", "err", err)
		return runsHandoff{}, nil
	}
	return runsHandoff{Files: len(files), State: state, Since: time.Now()}, files
}

// openFeed takes over, in the stage that serves, what counts processes that end, if they are
// counted.
func (d *Daemon) openFeed() {
	if d.runs.Files == 0 {
		return
	}
	feed, err := trace.NewReader(d.runs.State, d.runFiles)
	if err != nil {
		d.o.Logger.Error("Processes that end are not counted", "err", err)
		return
	}
	d.feed, d.since = feed, d.runs.Since
}
