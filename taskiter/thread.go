// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// onThread runs f in a thread of its own, which may be changed in ways that
// cannot be undone: it ends with f, and the runtime makes no other from it.
// The returned function waits until it is gone.
func onThread(f func()) (wait func()) {
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
