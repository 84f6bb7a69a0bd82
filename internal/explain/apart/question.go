// SPDX-License-Identifier: Apache-2.0

package apart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/explain/places"
	"github.com/landlockd/landlockd/internal/explain/roots"
	"github.com/landlockd/landlockd/internal/explain/sockets"
	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/seccomp"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Question is what a child is to look at, of one process of a scan. It asks one thing.
type Question struct {
	ProcFS  string          `json:"procfs"`
	Process sockets.Process `json:"process"`
	// Threads asks for the root directories of these threads; if one is 0, of those that the
	// process has.
	Threads []int32 `json:"threads,omitempty"`
	// Files asks for the paths of these files.
	Files []explain.File `json:"files,omitempty"`
	// Holders asks for sockets, which these processes may have open.
	Holders []sockets.Process `json:"holders,omitempty"`
}

// Answer is one thing that was found, or the end.
type Answer struct {
	Root   *explain.Root `json:"root,omitempty"`
	Place  *Place        `json:"place,omitempty"`
	Socket *sockets.Seen `json:"socket,omitempty"`
	// End: this is the last one. Gaps are what could not be looked at, in words, and
	// Error is why nothing, or nothing more, could.
	End   bool           `json:"end,omitempty"`
	Gaps  []string       `json:"gaps,omitempty"`
	Error untrusted.Text `json:"error,omitempty"`
}

// Place is the path of a file, empty if the process finds it by none.
type Place struct {
	File explain.File   `json:"file"`
	Path untrusted.Text `json:"path"`
}

// searchTime is how long paths are sought.
const searchTime = 5 * time.Second

// Serve answers one question. It may never return.
func Serve(in io.Reader, out io.Writer) error {
	var q Question
	if err := json.NewDecoder(in).Decode(&q); err != nil {
		return fmt.Errorf("%s is for landlockd itself: read the question: %w", Command, err)
	}
	lines := json.NewEncoder(out)
	gaps, err := q.look(func(a *Answer) { _ = lines.Encode(a) }) // the last one's error is enough
	last := Answer{End: true, Gaps: gaps}
	if err != nil {
		last.Error = untrusted.Text(err.Error())
	}
	return lines.Encode(&last)
}

func (q *Question) look(say func(*Answer)) (gaps []string, err error) {
	p := &scan.Process{PID: q.Process.PID, Start: q.Process.Start}
	t, err := target.Open(q.ProcFS, p)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	if q.Holders == nil { // of this thread sockets take all there is
		_ = seccomp.Install(seccomp.Looking()) // the kernel may have none
	}
	switch {
	case q.Threads != nil:
		threads := q.Threads
		if slices.Contains(threads, 0) {
			threads = t.Threads()
		}
		found, err := roots.Look(t, threads)
		if err != nil {
			return nil, err
		}
		for i := range found.All {
			say(&Answer{Root: &found.All[i]})
		}
		return nil, nil
	case q.Files != nil:
		ctx, cancel := context.WithTimeout(context.Background(), searchTime)
		defer cancel()
		return nil, places.Find(ctx, t, q.Files, func(f explain.File, path string) {
			say(&Answer{Place: &Place{f, untrusted.Text(path)}})
		})
	case q.Holders != nil:
		return sockets.See(q.ProcFS, t, q.Holders, func(k *sockets.Seen) { say(&Answer{Socket: k}) })
	default:
		return nil, errors.New("nothing was asked")
	}
}
