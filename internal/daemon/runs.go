// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/bpffile"
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

// openRuns begins to count processes that end, on a kernel with these types and this layout.
// Where it cannot, all else is as it is without.
func openRuns(o Options, types *btf.Cache, layout taskiter.Layout) (runsHandoff, []*os.File) {
	state, files, err := trace.Open(types, layout)
	if err != nil {
		o.Logger.Debug("Processes that end are not counted", "err", err)
		return runsHandoff{}, nil
	}
	return runsHandoff{Files: len(files), State: state, Since: time.Now()}, files
}

// runsBeside returns what begins to count processes that end, while other programs are loaded,
// and what waits until that is done. Without an iterator they are not counted.
func (o *opened) runsBeside(
	from Options, types *btf.Cache,
) (begin func(taskiter.Layout), end func()) {
	var work sync.WaitGroup
	begin = func(l taskiter.Layout) {
		if from.Runs {
			work.Go(func() { o.runs, o.runFiles = openRuns(from, types, l) })
		}
	}
	end = func() {
		work.Wait()
		if o.found.Iterator == nil {
			bpffile.Files(o.runFiles).Close()
			o.runs, o.runFiles = runsHandoff{}, nil
		}
	}
	return begin, end
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
