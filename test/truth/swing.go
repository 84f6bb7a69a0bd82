// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Swing is a number of sandboxed processes whose root directories, at several
// depths, are below one that is moved back and forth between two others. Each is
// in one layer that handles the rights to read and to write files. A rule on the
// first directory allows to read, and one on the second to write: at every instant
// exactly one of the two rights is restricted.
type Swing struct {
	// PIDs are those of the processes.
	PIDs []int32

	c    *coordinator
	site string
	end  func() error

	mu    sync.Mutex
	moves []Move
}

// Move is one: that into the first directory, or out of it. It happened between
// two instants ([Now]).
type Move struct {
	Before, After uint64
	// Readable: the processes may read files from then on, and else write them.
	Readable bool
}

// StartSwing starts one with the actor at bin ([Build]); it needs the privilege to
// use chroot(2), and Landlock.
func StartSwing(ctx context.Context, bin string, seed uint64) (*Swing, error) {
	site, err := newSite()
	if err != nil {
		return nil, err
	}
	c, out, err := start(ctx, bin, nil, "--swing", site)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(site))
	}
	var hello struct{ PIDs []int32 }
	if err := json.Unmarshal(out, &hello); err != nil {
		return nil, errors.Join(fmt.Errorf("start a swing: %w", err), c.close(), os.RemoveAll(site))
	}
	s := &Swing{PIDs: hello.PIDs, c: c, site: site, moves: []Move{{Readable: true}}}
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.swing(rand.New(rand.NewPCG(seed, 0)), stop) }()
	s.end = sync.OnceValue(func() error {
		close(stop)
		return <-done
	})
	return s, nil
}

// swing moves the directory until it is to stop.
func (s *Swing) swing(random *rand.Rand, stop <-chan struct{}) error {
	at, other := filepath.Join(s.site, "a", "moved"), filepath.Join(s.site, "z", "moved")
	for readable := false; ; readable = !readable {
		// Mostly at once, now and then after long enough for a whole scan.
		pause := time.Duration(0)
		if random.IntN(16) == 0 {
			pause = time.Duration(random.IntN(20)) * time.Millisecond
		}
		select {
		case <-stop:
			return nil
		case <-time.After(pause):
		}
		m := Move{Before: Now(), After: math.MaxUint64, Readable: readable}
		s.mu.Lock()
		s.moves = append(s.moves, m)
		s.mu.Unlock()
		err := os.Rename(at, other)
		after := Now()
		s.mu.Lock()
		s.moves[len(s.moves)-1].After = after
		s.mu.Unlock()
		if err != nil {
			return fmt.Errorf("move the directory: %w", err)
		}
		at, other = other, at
	}
}

// Moves returns the number of moves so far, and those that were in effect or
// happened between two instants, the latest first. Ask after a scan.
func (s *Swing) Moves(from, to uint64) (total int, during []Move) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// One was in effect until the next was over.
	over := uint64(math.MaxUint64)
	for i := len(s.moves) - 1; i >= 0 && over >= from; i-- {
		if s.moves[i].Before <= to {
			during = append(during, s.moves[i])
		}
		over = s.moves[i].After
	}
	return len(s.moves) - 1, during
}

// Close ends and reaps every process, and fails if one is left or had crashed, or
// if a move failed.
func (s *Swing) Close() error {
	return errors.Join(s.end(), s.c.close(), os.RemoveAll(s.site))
}
