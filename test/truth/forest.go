// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"strconv"
)

// Options of a [Forest].
type Options struct {
	// Seed decides everything that the processes do.
	Seed uint64
	// Processes is how many are created, 1 to 2000; about one in ten ends
	// before the forest stands still. 0 means 64.
	Processes int
}

// Forest is a number of processes that stand still.
type Forest struct {
	// Truth is what they are.
	Truth *Truth
	c     *coordinator
}

// Start grows a forest with the actor at bin ([Build]) and returns when nothing
// in it moves any more. The context bounds the growth only; call Close in any case.
func Start(ctx context.Context, bin string, opts Options) (*Forest, error) {
	if opts.Processes == 0 {
		opts.Processes = 64
	}
	c, out, err := start(ctx, bin, nil, "--forest",
		strconv.FormatUint(opts.Seed, 10), strconv.Itoa(opts.Processes))
	if err != nil {
		return nil, err
	}
	t, err := parseTruth(out, c.dir)
	if err != nil {
		_ = c.close()
		return nil, err
	}
	return &Forest{Truth: t, c: c}, nil
}

// Close ends and reaps every process, and fails if one is left or had crashed.
func (f *Forest) Close() error { return f.c.close() }
