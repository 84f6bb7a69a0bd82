// SPDX-License-Identifier: Apache-2.0

// Package thread runs functions in operating system threads that end with
// them. Landlock domains, capabilities and no_new_privs belong to a thread and
// cannot be left: what takes one on for a while needs a thread to throw away.
package thread

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Run runs f in a thread of its own, which may be changed in ways that cannot
// be undone: it ends with f, and the runtime makes no other from it. It never
// is the main thread. The returned function waits until the thread is gone; it
// must be called once.
func Run(f func()) (wait func()) {
	tid := make(chan int, 1)
	done := make(chan struct{})
	var start func()
	start = func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The runtime never ends the main thread. While it is
			// held here, the next goroutine gets another.
			moved := make(chan struct{})
			go func() {
				runtime.LockOSThread()
				close(moved)
				start()
			}()
			<-moved
			runtime.UnlockOSThread()
			return
		}
		tid <- unix.Gettid()
		defer close(done)
		f()
		// Not unlocked: that is what ends the thread.
	}
	go start()
	return func() {
		<-done
		awaitExit(<-tid)
	}
}

// awaitExit waits until a thread of this process is gone, so that no scan finds
// this process in a state of its own making. One that takes longer than a
// second is not waited for.
func awaitExit(tid int) {
	for range 1000 {
		if unix.Tgkill(unix.Getpid(), tid, 0) != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
