// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/landlock"
)

// refusals are the system calls that seccomp filters refused, by process and number, as
// the kernel's audit log has them (AUDIT_SECCOMP), whether audit is on or off. So each
// daemon of each test is watched at its work, at no cost, and a call that Go's runtime or
// a library begins to make fails the test that comes upon it.
type refusals struct {
	socket int
	probe  chan chan error // has the kernel write a record of this process

	mu    sync.Mutex
	calls map[int]map[int]int
	err   error
}

// probed is the call that the thread behind probe is refused.
const probed = unix.SYS_GETPPID

// watchRefusals begins to read the log, for as long as this process lives.
func watchRefusals() (*refusals, error) {
	r := &refusals{probe: make(chan chan error), calls: map[int]map[int]int{}}
	opened := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here, with its namespace
		opened <- r.open()
	}()
	if err := <-opened; err != nil {
		return nil, fmt.Errorf("read what seccomp refused from the audit log: %w", err)
	}
	go r.run()
	go r.beRefused()
	return r, nil
}

// open joins the readers of the log.
func (r *refusals) open() error {
	// The kernel sends to the initial network namespace alone, which containers that see
	// all processes enter so. Where this may not be opened, of will notice if none comes.
	namespace, err := unix.Open("/proc/1/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Setns(namespace, unix.CLONE_NEWNET)
		unix.Close(namespace)
		if err != nil {
			return err
		}
	}
	r.socket, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
	if err != nil {
		return err
	}
	// Other records would take the room of these. Their type is in the machine's order, and
	// what a filter loads in the network's.
	const typeAt, seccomp = 4, uint16(unix.AUDIT_SECCOMP)
	var kind [2]byte
	binary.NativeEndian.PutUint16(kind[:], seccomp)
	only := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: typeAt},
		{Code: filterEqual, K: uint32(binary.BigEndian.Uint16(kind[:])), Jf: 1},
		{Code: filterReturn, K: ^uint32(0)},
		{Code: filterReturn, K: 0},
	}
	return errors.Join(
		unix.SetsockoptSockFprog(r.socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(only)), Filter: &only[0]}),
		unix.SetsockoptInt(r.socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20),
		unix.Bind(r.socket, &unix.SockaddrNetlink{
			Family: unix.AF_NETLINK, Groups: 1 << (unix.AUDIT_NLGRP_READLOG - 1),
		}))
}

// run reads records.
func (r *refusals) run() {
	for record := make([]byte, 16<<10); ; {
		n, _, err := unix.Recvfrom(r.socket, record, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		r.mu.Lock()
		if err != nil {
			r.err = errors.Join(r.err, fmt.Errorf("records of the audit log were lost: %w", err))
		} else {
			r.count(string(record[unix.SizeofNlMsghdr:max(n, unix.SizeofNlMsghdr)]))
		}
		r.mu.Unlock()
	}
}

func (r *refusals) count(record string) {
	var pid, call int
	for _, field := range strings.Fields(record) {
		_, _ = fmt.Sscanf(field, "pid=%d", &pid)
		_, _ = fmt.Sscanf(field, "syscall=%d", &call)
	}
	if r.calls[pid] == nil {
		r.calls[pid] = map[int]int{}
	}
	r.calls[pid][call]++
}

// beRefused makes a call that its thread's own filter refuses, whenever it is asked to.
func (r *refusals) beRefused() {
	runtime.LockOSThread()
	filter := []unix.SockFilter{
		{Code: filterLoad, K: 0}, // the system call's number
		{Code: filterEqual, K: probed, Jf: 1},
		{Code: filterReturn, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: filterReturn, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	err := landlock.NoNewPrivs()
	if err == nil {
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
			unix.SECCOMP_FILTER_FLAG_LOG, uintptr(unsafe.Pointer(&program)))
		if errno != 0 {
			err = fmt.Errorf("seccomp(2): %w", errno)
		}
	}
	for answer := range r.probe {
		if _, _, errno := unix.RawSyscall(probed, 0, 0, 0); err == nil && errno != unix.EPERM {
			err = fmt.Errorf("a call that a filter refuses: %w", errno)
		}
		answer <- err
	}
}

// of returns the calls that a process was refused, by number, once all that it has made
// by now are known.
func (r *refusals) of(t testing.TB, pid int) map[int]int {
	t.Helper()
	r.mu.Lock()
	before := r.calls[os.Getpid()][probed]
	r.mu.Unlock()
	// Records come in order: what is behind this one came later.
	for end := time.Now().Add(patience); time.Now().Before(end); {
		answer := make(chan error)
		r.probe <- answer
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
		for range 100 {
			r.mu.Lock()
			calls, known, err := r.calls[pid], r.calls[os.Getpid()][probed] > before, r.err
			r.mu.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			if known {
				return calls
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	t.Fatal("the kernel logs nothing of what seccomp refuses: it needs CONFIG_AUDIT, and errno " +
		"in kernel.seccomp.actions_logged; and tests the initial network namespace, or sight of PID 1")
	return nil
}

// forget is for a process that begins: another one may have had its number.
func (r *refusals) forget(pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.calls, pid)
}

// checkRefusals fails a test if a landlockd of it, which has ended, was refused a call
// that it needs.
func checkRefusals(t testing.TB, p *process) {
	t.Helper()
	for call, n := range refused.of(t, p.cmd.Process.Pid) {
		// With it libraries in C try first, and then call clone(2).
		if call != unix.SYS_CLONE3 {
			t.Errorf("%q was refused system call %d %d times (its name is in golang.org/x/sys/unix): "+
				"allow it in internal/seccomp, or make it not be called\n%s", p.cmd.Args, call, n, &p.stderr)
		}
	}
}
