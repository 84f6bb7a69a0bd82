// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"bytes"
	"math"

	"github.com/landlockd/landlockd/scan"
)

// status is what a status file shows of one task in one instant.
type status struct {
	// uid is the effective user ID.
	uid       uint32
	hardening scan.Hardening
}

// parseStatus reads the lines Uid, NoNewPrivs (Linux 4.10) and Seccomp of a
// status file. It reports false if one of them is missing or holds no number. The
// name of the process, in the first line, is escaped by the kernel: it has no
// line feed.
func parseStatus(b []byte) (s status, ok bool) {
	uid, okU := effectiveUID(b)
	nnp, okN := statusNumber(b, "\nNoNewPrivs:\t")
	sec, okS := statusNumber(b, "\nSeccomp:\t")
	s = status{uid: uid, hardening: scan.SeccompMode(uint32(min(sec, 2)))}
	if nnp == 1 {
		s.hardening |= scan.NoNewPrivs
	}
	return s, okU && okN && okS
}

// effectiveUID is the second number of the line Uid.
func effectiveUID(b []byte) (uint32, bool) {
	const name = "\nUid:\t"
	i := bytes.Index(b, []byte(name))
	if i < 0 {
		return 0, false
	}
	b = b[i+len(name):]
	_, n := leadingNumber(b)
	if n == 0 || n == len(b) || b[n] != '\t' {
		return 0, false
	}
	v, n := leadingNumber(b[n+1:])
	return uint32(v), n > 0 && v <= math.MaxUint32
}

func statusNumber(b []byte, name string) (uint64, bool) {
	i := bytes.Index(b, []byte(name))
	if i < 0 {
		return 0, false
	}
	v, n := leadingNumber(b[i+len(name):])
	return v, n > 0
}

// cgroupPaths are the paths of a process in the hierarchies that workloads are
// named in, each as /proc/[pid]/cgroup writes it; nil where there is none. They
// share the memory of what was parsed.
type cgroupPaths struct{ v2, v1 []byte }

// parseCgroup reads lines "ID:CONTROLLERS:PATH", of which the v1 hierarchy's has the
// number v1, unless that is 0. The kernel escapes line feeds in paths.
func parseCgroup(b []byte, v1 uint32) (p cgroupPaths) {
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		number, rest, ok := bytes.Cut(line, []byte{':'})
		controllers, path, ok2 := bytes.Cut(rest, []byte{':'})
		if !ok || !ok2 || len(path) == 0 || path[0] != '/' {
			continue
		}
		id, n := leadingNumber(number)
		switch {
		case n == 0 || n != len(number):
		case id == 0 && len(controllers) == 0:
			p.v2 = path
		case id != 0 && id == uint64(v1):
			p.v1 = path
		}
	}
	return p
}
