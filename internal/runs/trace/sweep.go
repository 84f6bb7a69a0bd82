// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

// sweep looks for processes that ended without a program having been called, if that can
// be: both of those that count an event missed some.
func (r *Reader) sweep() error {
	var grew [programs]bool
	for i, f := range r.files[missFiles:] {
		name := "/proc/self/fdinfo/" + strconv.Itoa(int(f.Fd()))
		text, err := procdir.ReadAt(unix.AT_FDCWD, name, maxInfo)
		if err != nil {
			return err
		}
		n, err := missesIn(text)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		grew[i] = n > r.misses[i]
		r.misses[i] = n
	}
	const exit, events = int(objectEventEVENT_EXIT), int(objectEventEVENTS)
	if grew[exit] && grew[events+exit] && r.state.Layout.Domain.PidLevel == 0 {
		if err := r.sweepProcesses(); err != nil {
			return err
		}
	}
	r.missed = atomic.LoadUint64(&r.control.Lost) + atomic.LoadUint64(&r.control.Swept)
	return nil
}

// Skipped is how often the kernel did not call a program, because it was interrupted on that
// CPU, as of the last Drain. Mostly the other one that counts the event was called.
func (r *Reader) Skipped() (sum uint64) {
	for _, n := range r.misses {
		sum += n
	}
	return sum
}

func (r *Reader) sweepProcesses() error {
	uptime, err := scan.Uptime()
	if err != nil {
		return err
	}
	atomic.StoreUint64(&r.control.SweptAt, uint64(uptime))
	atomic.StoreUint32(&r.control.Sweep, r.control.Sweep+1)
	nothing := func([]byte) error { return nil }
	if err := r.iterate(tasksFile, false, nothing); err != nil {
		return err
	}
	return r.iterate(processesFile, false, nothing)
}

// maxInfo bounds what is read of a descriptor's file in /proc, in bytes.
const maxInfo = 4096

// missesIn returns what a program's descriptor shows.
func missesIn(info []byte) (uint64, error) {
	for line := range bytes.Lines(info) {
		if n, ok := bytes.CutPrefix(line, []byte("recursion_misses:")); ok {
			return strconv.ParseUint(string(bytes.TrimSpace(n)), 10, 64)
		}
	}
	return 0, errors.New("it does not show what a program missed, which Linux 5.12 does")
}
