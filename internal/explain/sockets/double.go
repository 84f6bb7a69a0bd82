// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/internal/thread"
)

// double is a thread that stands where a process stands: in its mount namespace
// and root directory, with its user, groups and effective capabilities. What it
// finds and may do, the process does.
type double struct {
	ask  chan func()
	wait func()
	// gap is what it lacks to be like the process.
	gap string
}

// credentials are what permissions are decided by.
type credentials struct {
	uid, gid int
	groups   []int
	caps     uint64
}

// longestStatus is more than a process with as many groups as it may have takes.
const longestStatus = 1 << 20

// impersonate makes the double of a process.
func impersonate(t *target.Process) (*double, error) {
	status, err := t.Read("status", longestStatus)
	if err != nil {
		return nil, err
	}
	c, err := parseStatus(status)
	if err != nil {
		return nil, err
	}
	mnt, err := t.File("ns/mnt", unix.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("open the mount namespace of process %d: %w", t.PID, err)
	}
	defer mnt.Close()
	d := &double{ask: make(chan func())}
	own, _ := os.Readlink("/proc/self/ns/user")
	if user, err := t.Link("ns/user"); err != nil || user != own {
		// Only what it could do to files of users that it maps is left out.
		c.caps = 0
		d.gap = "what the capabilities that it has in its own user namespace let it do"
	}
	ready := make(chan error, 1)
	d.wait = thread.Run(func() {
		err := c.take(mnt, t.Root)
		ready <- err
		if err != nil {
			return
		}
		for f := range d.ask {
			f()
		}
	})
	if err := <-ready; err != nil {
		d.wait()
		return nil, fmt.Errorf("stand where process %d does: %w (this takes root)", t.PID, err)
	}
	return d, nil
}

// end ends the thread.
func (d *double) end() {
	close(d.ask)
	d.wait()
}

// do has the double do something.
func (d *double) do(f func()) {
	done := make(chan struct{})
	d.ask <- func() { f(); close(done) }
	<-done
}

// runApart runs something on a thread that is not used again, and waits.
func runApart(f func()) { thread.Run(f)() }

// sameNamespace reports whether a descriptor is of the namespace that this program
// is in.
func sameNamespace(fd int, name string) bool {
	var a, b unix.Stat_t
	return unix.Fstat(fd, &a) == nil && unix.Stat("/proc/self/ns/"+name, &b) == nil &&
		a.Dev == b.Dev && a.Ino == b.Ino
}

// take changes the calling thread, and no other: it must end afterwards.
func (c *credentials) take(mnt, root *os.File) error {
	var have [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	for _, step := range []struct {
		call string
		do   func() error
	}{
		{"unshare(CLONE_FS)", func() error { return unix.Unshare(unix.CLONE_FS) }},
		{"setns(CLONE_NEWNS)", func() error {
			if sameNamespace(int(mnt.Fd()), "mnt") {
				return nil
			}
			return unix.Setns(int(mnt.Fd()), unix.CLONE_NEWNS)
		}},
		{"fchdir(2)", func() error { return unix.Fchdir(int(root.Fd())) }},
		{"chroot(2)", func() error { return unix.Chroot(".") }},
		{"prctl(PR_SET_KEEPCAPS)", func() error { return unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0) }},
		{"setgroups(2)", func() error { return unix.Setgroups(c.groups) }},
		{"setresgid(2)", func() error { return setAll(unix.SYS_SETRESGID, c.gid) }},
		{"setresuid(2)", func() error { return setAll(unix.SYS_SETRESUID, c.uid) }},
		{"capget(2)", func() error { return unix.Capget(&header, &have[0]) }},
		{"capset(2)", func() error {
			for i := range have {
				caps := have[i].Permitted & uint32(c.caps>>(32*i))
				have[i] = unix.CapUserData{Permitted: caps, Effective: caps}
			}
			return unix.Capset(&header, &have[0])
		}},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.call, err)
		}
	}
	return nil
}

// setAll sets the three IDs of the calling thread. Package unix would change all threads
// of this program.
func setAll(call uintptr, id int) error {
	if _, _, errno := unix.RawSyscall(call, uintptr(id), uintptr(id), uintptr(id)); errno != 0 {
		return errno
	}
	return nil
}

// parseStatus reads what decides about files: fsuid, fsgid, groups and effective
// capabilities.
func parseStatus(text procdir.Status) (credentials, error) {
	const filesystem = 3
	uid, okU := text.Number("Uid", filesystem)
	gid, okG := text.Number("Gid", filesystem)
	caps, okC := text.Set("CapEff")
	groups, ok := text.Line("Groups")
	c := credentials{uid: int(uid), gid: int(gid), caps: caps}
	for f := range bytes.FieldsSeq(groups) {
		n, err := strconv.ParseUint(string(f), 10, 32)
		c.groups, ok = append(c.groups, int(n)), ok && err == nil
	}
	if !okU || !okG || !okC || !ok {
		return c, errors.New("/proc/[pid]/status makes no sense")
	}
	return c, nil
}
