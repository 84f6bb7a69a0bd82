// SPDX-License-Identifier: Apache-2.0

package inside

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refusal is the name of an error that an attack must end with.
type refusal string

const (
	bySeccomp refusal = "EPERM"
	// byLandlock, or by the kernel's own check of who may look at a process.
	byLandlock refusal = "EACCES"
	// asUnknown: libraries then try a call whose flags the filter can look at.
	asUnknown refusal = "ENOSYS"
)

// attack is a system call that must be refused.
type attack struct {
	name   string
	want   refusal
	number uintptr
	// arguments are ints; texts and memory, whose address is given; or inherited.
	arguments []any
}

// inherited stands for a descriptor of one kind, as its link in /proc begins: the call is
// made with each of them.
type inherited string

// victims are the PIDs of two processes: root's, and one of the serving user's.
type victims struct{ root, same int }

// try makes each attack on the calling thread. For each it returns the name of the error,
// empty for success.
func try(v victims) map[string]string {
	errors := map[string]string{}
	for _, a := range attacks(v) {
		errors[a.name] = a.try()
	}
	return errors
}

func (a attack) try() string {
	for i, argument := range a.arguments {
		if kind, ok := argument.(inherited); ok {
			return a.tryEach(i, kind)
		}
	}
	return a.call()
}

// tryEach makes the call with each descriptor of a kind as argument i. It returns the
// first error that is not as it must be.
func (a attack) tryEach(i int, kind inherited) string {
	result := "there is no " + string(kind)
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err.Error()
	}
	for _, e := range entries {
		link, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || !strings.HasPrefix(link, string(kind)) {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			return err.Error()
		}
		a.arguments[i] = fd
		if result = a.call(); result != string(a.want) {
			return result
		}
	}
	return result
}

func (a attack) call() string {
	var six [6]uintptr
	var kept [6][]byte
	for i, argument := range a.arguments {
		switch v := argument.(type) {
		case int:
			six[i] = uintptr(v)
			continue
		case string:
			kept[i] = append([]byte(v), 0)
		case []byte:
			kept[i] = v
		}
		six[i] = uintptr(unsafe.Pointer(unsafe.SliceData(kept[i])))
	}
	pid := unix.Getpid()
	r, _, errno := unix.RawSyscall6(a.number, six[0], six[1], six[2], six[3], six[4], six[5])
	runtime.KeepAlive(kept)
	if unix.Getpid() != pid { // a child: there must be none
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
	if errno != 0 {
		return unix.ErrnoName(errno)
	}
	if a.number == unix.SYS_OPENAT { // landlockd is checked for what it leaves behind
		unix.Close(int(r))
	}
	return ""
}
