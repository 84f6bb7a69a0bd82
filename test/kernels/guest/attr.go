// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"

	"golang.org/x/sys/unix"
)

// attribute is what a read of an attribute says: a text, or the error number of
// the system call that refused it.
type attribute struct {
	text string
	err  error
}

func (a attribute) String() string {
	if a.err != nil {
		return unix.ErrnoName(errnoOf(a.err))
	}
	return fmt.Sprintf("%q", a.text)
}

// denied reports whether the read was refused for lack of permission.
func (a attribute) denied() bool {
	return errors.Is(a.err, unix.EACCES) || errors.Is(a.err, unix.EPERM)
}

// domainID is what the attribute of a task in a domain looks like.
var domainID = regexp.MustCompile(`^[1-9a-f][0-9a-f]{8,15}\n$`)

func (a attribute) isID() bool   { return a.err == nil && domainID.MatchString(a.text) }
func (a attribute) isNone() bool { return a.err == nil && a.text == "none\n" }

// readAttribute reads a file below /proc in one system call.
func readAttribute(path string) attribute {
	fd, err := unix.Open("/proc/"+path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return attribute{err: err}
	}
	defer unix.Close(fd)
	buf := make([]byte, 256)
	n, err := unix.Read(fd, buf)
	if err != nil {
		return attribute{err: err}
	}
	return attribute{text: string(buf[:n])}
}

// domainOf reads a process's domain.
func domainOf(pid int) attribute {
	return readAttribute(fmt.Sprintf("%d/attr/landlock/domain", pid))
}

// domainOfTask reads a thread's domain.
func domainOfTask(pid, tid int) attribute {
	return readAttribute(fmt.Sprintf("%d/task/%d/attr/landlock/domain", pid, tid))
}

func errnoOf(err error) unix.Errno {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return 0
}

// hasLandlockDir reports whether a process has the directory.
func hasLandlockDir(t *T, pid int) bool {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/attr", pid))
	t.Must(err)
	listed := false
	for _, e := range entries {
		listed = listed || e.Name() == "landlock"
	}
	_, err = os.Stat(fmt.Sprintf("/proc/%d/attr/landlock", pid))
	if listed != (err == nil) {
		t.Errorf("the directory landlock is listed: %v, but stat says %v", listed, err)
	}
	return listed
}
