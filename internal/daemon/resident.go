// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"bufio"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// giveBack returns memory to the system that this process has no use for now: what is garbage,
// and pages of the program that it may never look at again. Most of those a start maps.
func giveBack() {
	debug.FreeOSMemory()
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	for _, m := range unchanged(f, program) {
		// Whatever is used again is read again from the file, which nobody can write to while
		// it is executed. An error leaves the pages where they are.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.size, unix.MADV_DONTNEED)
	}
}

// mapping is a part of the address space, in bytes.
type mapping struct{ start, size uintptr }

// unchanged returns those mappings of a file in smaps whose pages are the file's own: nobody
// can write to them, and nobody has. A program that moves itself at its start (PIE) has
// pages without write permission that hold what it wrote, which the file does not have.
func unchanged(smaps io.Reader, file string) []mapping {
	var found []mapping
	is := false // the lines are about the last one found
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		if key, count := strings.CutSuffix(fields[0], ":"); count {
			changed := (key == "Anonymous" || key == "Swap") && fields[1] != "0"
			if is && changed {
				found, is = found[:len(found)-1], false
			}
			continue
		}
		first, last, _ := strings.Cut(fields[0], "-")
		start, err1 := strconv.ParseUint(first, 16, 64)
		end, err2 := strconv.ParseUint(last, 16, 64)
		is = err1 == nil && err2 == nil && end > start && !strings.Contains(fields[1], "w") &&
			strings.HasSuffix(lines.Text(), " "+file)
		if is {
			found = append(found, mapping{uintptr(start), uintptr(end - start)})
		}
	}
	return found
}
