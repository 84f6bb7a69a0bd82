// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Observer hears of forks, executions and exits of the whole host by the kernel's process
// connector: a second opinion that has no code in common with what is tested.
type Observer struct{ fd int }

// procEvent is what is used of struct proc_event (include/uapi/linux/cn_proc.h).
type procEvent struct {
	what       uint32
	parent     int32 // of a fork: the parent's process
	task, tgid int32
}

const (
	procFork = 1
	procExec = 2
	procExit = 0x80000000

	cnProc      = 1 // CN_IDX_PROC, CN_VAL_PROC, PROC_CN_MCAST_LISTEN
	cnIgnore    = 2 // PROC_CN_MCAST_IGNORE
	cnHeader    = unix.NLMSG_HDRLEN + 20
	eventHeader = 16
	hearBuffer  = 64 << 20
)

// errOverrun: the kernel had no room for all events, and nothing can be said.
var errOverrun = errors.New("the process connector lost events")

// Observe begins to listen, which takes CAP_NET_ADMIN in the first namespaces.
func Observe() (*Observer, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("process connector: socket(2): %w", err)
	}
	if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, hearBuffer); err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: cnProc})
	}
	if err == nil {
		err = ask(fd, cnProc)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("process connector: %w", err)
	}
	return &Observer{fd: fd}, nil
}

// ask has the kernel send events, or no more.
func ask(fd int, what uint32) error {
	const size = cnHeader + 4
	b := make([]byte, size)
	binary.NativeEndian.PutUint32(b, size)
	binary.NativeEndian.PutUint16(b[4:], unix.NLMSG_DONE)
	for _, at := range []int{16, 20} {
		binary.NativeEndian.PutUint32(b[at:], cnProc)
	}
	binary.NativeEndian.PutUint16(b[32:], 4)
	binary.NativeEndian.PutUint32(b[cnHeader:], what)
	return unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// Ended stops listening, and returns how many processes have exited and how many
// executions there were among a child and its descendants, which must all have been
// waited for: what they did has been said by then.
func (o *Observer) Ended(root int) (exits, execs int, err error) {
	defer unix.Close(o.fd)
	if err := ask(o.fd, cnIgnore); err != nil {
		return 0, 0, fmt.Errorf("process connector: %w", err)
	}
	// A PID may be another process's before and after.
	family, begun := map[int32]bool{}, false
	buf := make([]byte, os.Getpagesize())
	for {
		n, err := unix.Read(o.fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return exits, execs, nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOBUFS):
			return 0, 0, errOverrun
		case err != nil:
			return 0, 0, fmt.Errorf("process connector: %w", err)
		}
		e, ok := parseEvent(buf[:n])
		switch {
		case !ok:
		case e.what == procFork && e.tgid == int32(root) && int(e.parent) == os.Getpid() && !begun:
			family[e.tgid], begun = true, true
		case e.what == procFork && e.task == e.tgid && family[e.parent]:
			family[e.tgid] = true
		case e.what == procExec && family[e.tgid]:
			execs++
		case e.what == procExit && family[e.tgid] && e.task == e.tgid:
			exits++
			delete(family, e.tgid)
		}
	}
}

func parseEvent(b []byte) (e procEvent, ok bool) {
	if len(b) < cnHeader+eventHeader+16 {
		return e, false
	}
	b = b[cnHeader:]
	word := func(at int) int32 { return int32(binary.NativeEndian.Uint32(b[eventHeader+at:])) }
	e.what = binary.NativeEndian.Uint32(b)
	if e.what == procFork {
		e.parent, e.task, e.tgid = word(4), word(8), word(12)
	} else {
		e.task, e.tgid = word(0), word(4)
	}
	return e, true
}
