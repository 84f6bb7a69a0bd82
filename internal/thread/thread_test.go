// SPDX-License-Identifier: Apache-2.0

package thread

import (
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Every thread is one of its own, not the main one, takes its changes with it,
// and is gone after wait.
func TestRun(t *testing.T) {
	const n = 8
	var mu sync.Mutex
	tids := map[int]bool{}
	var ready sync.WaitGroup
	waits := make([]func(), n)
	for i := range waits {
		ready.Add(1)
		waits[i] = Run(func() {
			defer ready.Done()
			if _, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
				t.Errorf("prctl: %v", errno)
			}
			mu.Lock()
			tids[unix.Gettid()] = true
			mu.Unlock()
		})
	}
	ready.Wait()
	for _, wait := range waits {
		wait()
	}
	for tid := range tids {
		if tid == unix.Getpid() {
			t.Error("f ran in the main thread")
		}
		if unix.Tgkill(unix.Getpid(), tid, 0) == nil {
			t.Errorf("thread %d is still there", tid)
		}
	}
	if len(tids) == 0 {
		t.Fatal("f did not run")
	}
	done := make(chan int)
	for range 32 {
		go func() {
			v, _, _ := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0)
			done <- int(v)
		}()
		if v := <-done; v != 0 {
			t.Fatal("a thread of the runtime came from one that had set no_new_privs")
		}
	}
}
