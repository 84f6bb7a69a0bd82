// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// RunsOptions are options of [PlayRuns].
type RunsOptions struct {
	// Seed decides everything that the processes do.
	Seed uint64
	// Lives is how many processes begin, each of which makes more.
	Lives int
	// Quick is how many more live for a millisecond each.
	Quick int
	// Groups are the cgroups that they are in.
	Groups Groups
}

// Runs is what processes say of themselves that have ended.
type Runs struct {
	// ABI is Landlock's. Rings: this kernel made a ring of io_uring for the coordinator.
	ABI   int  `json:"abi"`
	Rings bool `json:"rings"`
	// Ops counts the operations, by kind.
	Ops  map[string]int `json:"ops"`
	Ends []End          `json:"ends"`

	groups Groups
}

// End is how one stretch of a process's life ended.
type End struct {
	Kind  runs.Kind `json:"kind"`
	Group int       `json:"group"` // index in RunsOptions.Groups
	// PID is 0 in a PID namespace of its own.
	PID int32 `json:"pid"`
	// The process began, and the stretch ended, between two instants each, in nanoseconds
	// since boot.
	BornFrom uint64 `json:"born_from"`
	BornTo   uint64 `json:"born_to"`
	AtFrom   uint64 `json:"at_from"`
	AtTo     uint64 `json:"at_to"`
	// Can is what may be said of it: which one, a race decides.
	Can []Answer `json:"can"`
}

// Answer is what was true of a process when a stretch of its life ended.
type Answer struct {
	State   scan.State    `json:"state"`
	Depth   uint16        `json:"depth"`
	Exe     string        `json:"exe"`
	UID     uint32        `json:"uid"`
	Handled access.Rights `json:"handled"`
}

// PlayRuns has processes live and end, by the actor at bin ([Build]), and returns when all
// of them have ended, what they were is known, and nothing is left.
func PlayRuns(ctx context.Context, bin string, opts RunsOptions) (*Runs, error) {
	files, err := opts.Groups.open()
	if err != nil {
		return nil, err
	}
	defer closeAll(files)
	c, out, err := start(ctx, bin, files, "--runs", strconv.FormatUint(opts.Seed, 10),
		strconv.Itoa(opts.Lives), strconv.Itoa(opts.Quick), strconv.Itoa(len(opts.Groups)))
	if err != nil {
		return nil, err
	}
	now := Now()
	if err := c.close(); err != nil {
		return nil, err
	}
	r := &Runs{groups: opts.Groups}
	if err := json.Unmarshal(out, r); err != nil {
		return nil, fmt.Errorf("the actor's runs: %w", err)
	}
	for i := range r.Ends {
		e := &r.Ends[i]
		if e.AtTo == 0 {
			e.AtTo = now
		}
		if e.BornTo == 0 || len(e.Can) == 0 || e.Group >= len(opts.Groups) {
			return nil, fmt.Errorf("the actor's runs: end %d is %+v", i, *e)
		}
		for j := range e.Can {
			e.Can[j].Exe = filepath.Join(c.dir, e.Can[j].Exe)
		}
	}
	return r, r.check()
}

// check compares the counts of operations with those of ends.
func (r *Runs) check() error {
	launches := 0
	for i := range r.Ends {
		if r.Ends[i].Kind == runs.Launch {
			launches++
		}
	}
	if want := r.Ops["exec"] + r.Ops["exec_setuid"] + r.Ops["vfork_exec"]; launches != want {
		return errors.New("the actor's runs: " + strings.Join([]string{
			strconv.Itoa(launches), "launches, and", strconv.Itoa(want), "executions",
		}, " "))
	}
	return nil
}
