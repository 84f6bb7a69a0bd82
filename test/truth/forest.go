// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	site  string
}

// Start grows a forest with the actor at bin ([Build]) and returns when nothing
// in it moves any more. The context bounds the growth only; call Close in any case.
func Start(ctx context.Context, bin string, opts Options) (*Forest, error) {
	if opts.Processes == 0 {
		opts.Processes = 64
	}
	site, err := newSite()
	if err != nil {
		return nil, err
	}
	c, out, err := start(ctx, bin, nil, "--forest",
		strconv.FormatUint(opts.Seed, 10), strconv.Itoa(opts.Processes), site)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(site))
	}
	f := &Forest{c: c, site: site}
	if f.Truth, err = parseTruth(out, c.dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close ends and reaps every process, and fails if one is left or had crashed.
func (f *Forest) Close() error { return errors.Join(f.c.close(), os.RemoveAll(f.site)) }

// newSite makes an empty directory that every user may enter, for what processes
// have as their roots. No rule of a sandbox is on it: it is not in the folder of
// the actor, which each allows to execute.
func newSite() (string, error) {
	site, err := os.MkdirTemp("", "truth-site")
	if err != nil {
		return "", fmt.Errorf("make the site: %w", err)
	}
	// The kernel gives paths without symbolic links.
	if site, err = filepath.EvalSymlinks(site); err == nil {
		err = os.Chmod(site, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("make the site: %w", err)
	}
	return site, nil
}
