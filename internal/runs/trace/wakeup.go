// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wakeup hands on what the programs send when their memory fills: a BPF ring buffer whose
// records say nothing. The kernel documents it in Documentation/bpf/ringbuf.rst.
type wakeup struct {
	filling chan struct{}
	file    *os.File
	done    chan struct{}
	// consumer and producer are the positions up to which was read and written.
	consumer, producer []byte
}

func newWakeup(file *os.File) (*wakeup, error) {
	w := &wakeup{filling: make(chan struct{}, 1), file: file, done: make(chan struct{})}
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var mapErr error
	err = conn.Control(func(fd uintptr) {
		page := os.Getpagesize()
		w.consumer, mapErr = unix.Mmap(int(fd), 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if mapErr == nil {
			w.producer, mapErr = unix.Mmap(int(fd), int64(page), page, unix.PROT_READ, unix.MAP_SHARED)
		}
	})
	if err = errors.Join(err, mapErr); err != nil {
		return nil, fmt.Errorf("mmap of the ring: %w", err)
	}
	go func() {
		defer close(w.done)
		_ = conn.Read(w.take) // until the file is closed
	}()
	return w, nil
}

// take reads what is there, and waits for more.
func (w *wakeup) take(uintptr) (done bool) {
	position := func(b []byte) *uint64 { return (*uint64)(unsafe.Pointer(unsafe.SliceData(b))) }
	if written := atomic.LoadUint64(position(w.producer)); written != atomic.LoadUint64(position(w.consumer)) {
		atomic.StoreUint64(position(w.consumer), written)
		select {
		case w.filling <- struct{}{}:
		default: // it is known already
		}
	}
	return false
}

func (w *wakeup) close() error {
	err := w.file.Close()
	<-w.done
	return errors.Join(err, unix.Munmap(w.consumer), unix.Munmap(w.producer))
}
