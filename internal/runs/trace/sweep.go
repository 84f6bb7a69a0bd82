// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/scan"
)

// misses are how often the kernel did not call each program.
type misses struct {
	now   [maxPrograms]uint64
	first [numEvents]uint64 // the growth of those of the first copies, up to now
}

// add returns how many events of each kind all copies missed since the last call, at most.
// One that is interrupted between two may be missed by the second one a call later.
func (m *misses) add(now [maxPrograms]uint64, copies int) (all [numEvents]uint64) {
	for e := range all {
		if copies == 1 {
			all[e] = now[e] - m.now[e]
			continue
		}
		first, second := now[e]-m.now[e], now[numEvents+e]-m.now[numEvents+e]
		all[e] = min(m.first[e]+first, second)
		m.first[e] = first
	}
	m.now = now
	return all
}

// sweep notes what no copy of a program was called for, and looks for the processes that
// ended so.
func (r *Reader) sweep() error {
	var now [maxPrograms]uint64
	// The second copies first: what they miss behind the first ones is the next call's.
	for i, f := range slices.Backward(r.infos) {
		n, err := unix.Pread(int(f.Fd()), r.buf, 0)
		if err == nil {
			now[i], err = missesIn(r.buf[:n])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
	}
	all := r.misses.add(now, r.state.Copies)
	for _, n := range all {
		r.unseen += n
	}
	r.missed = atomic.LoadUint64(&r.control.Lost) + r.unseen
	if all[objectEventEVENT_EXIT] == 0 || r.state.Layout.Domain.PidLevel != 0 {
		return nil
	}
	return r.sweepProcesses()
}

// Skipped is how often the kernel did not call a program, because it was interrupted on that
// CPU, as of the last Drain. Where there are two of each, mostly the other one was called.
func (r *Reader) Skipped() (sum uint64) {
	for _, n := range r.misses.now {
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

// openInfos opens what the kernel says of descriptors, which is there anew at each read.
func openInfos(files []*os.File) (infos bpffile.Files, err error) {
	for _, f := range files {
		info, err := os.Open("/proc/self/fdinfo/" + strconv.Itoa(int(f.Fd())))
		if err != nil {
			infos.Close()
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// missesIn returns what a program's descriptor shows.
func missesIn(info []byte) (uint64, error) {
	for line := range bytes.Lines(info) {
		if n, ok := bytes.CutPrefix(line, []byte("recursion_misses:")); ok {
			return strconv.ParseUint(string(bytes.TrimSpace(n)), 10, 64)
		}
	}
	return 0, errors.New("it does not show what a program missed, which Linux 5.12 does")
}
