// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/procdir"
)

// initPIDNS is the inode number of the initial PID namespace (PROC_PID_INIT_INO
// of the kernel's linux/proc_ns.h).
const initPIDNS = 4026531836

// pidNamespace returns whether the mount shows the initial PID namespace: "init" or
// "nested". Its first process is the namespace's own; where that may not be looked at,
// only the initial one has kernel threads, the first of which is 2; and where that is
// hidden, this process's own is asked.
func (r *reader) pidNamespace() string {
	ino, errno := inodeAt(r.proc, newPath("1/ns/pid"), unix.O_RDONLY)
	if errno != ok {
		var st stat
		n, errno := readAt(r.proc, newPath("2/stat"), r.buf)
		if errno == ok && procdir.ParseStat(r.buf[:n], &st) && st.Flags&pfKthread != 0 {
			return "init"
		}
		ino, _ = inodeAt(r.proc, newPath("self/ns/pid"), unix.O_RDONLY)
	}
	if ino == initPIDNS {
		return "init"
	}
	return "nested"
}

// HidePID returns which processes the mount hides from this one: "off",
// "noaccess", "invisible" or "ptraceable", as named by the mount option hidepid
// (man proc(5)). An error says why it could not be found out.
func (s *Source) HidePID() (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(s.reader.proc, &st); err != nil {
		return "", fmt.Errorf("fstat(2) of the proc file system: %w", err)
	}
	const longest = 4 << 20
	b, err := procdir.ReadAt(s.reader.proc, "self/mountinfo", longest)
	if err != nil {
		return "", err
	}
	dev := uint64(st.Dev) //nolint:unconvert // 32 bits on some architectures
	device := fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev))
	return hidepidOf(procdir.ParseMounts(string(b)), device), nil
}

// hidepidOf finds the option of a device: it belongs to the file system, so that every
// mount of it has the same.
func hidepidOf(mounts []procdir.Mount, device string) string {
	for i := range mounts {
		if mounts[i].Dev != device {
			continue
		}
		for option := range strings.SplitSeq(mounts[i].Options, ",") {
			switch strings.TrimPrefix(option, "hidepid=") {
			case option:
			case "1", "noaccess":
				return "noaccess"
			case "2", "invisible":
				return "invisible"
			case "4", "ptraceable":
				return "ptraceable"
			}
		}
	}
	return "off"
}
