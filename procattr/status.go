// SPDX-License-Identifier: Apache-2.0

package procattr

import "bytes"

// hardening is what /proc/[pid]/status tells beside what stat does.
type hardening struct {
	seccomp    uint8
	noNewPrivs bool
}

// parseStatus reads the lines NoNewPrivs (Linux 4.10) and Seccomp of a status
// file. It reports false if one of them is missing or holds no number. The
// name of the process, in the first line, is escaped by the kernel: it has no
// line feed.
func parseStatus(b []byte) (h hardening, ok bool) {
	nnp, okN := statusNumber(b, "\nNoNewPrivs:\t")
	sec, okS := statusNumber(b, "\nSeccomp:\t")
	return hardening{seccomp: uint8(min(sec, 255)), noNewPrivs: nnp == 1}, okN && okS
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
type cgroupPaths struct{ v2, systemd []byte }

// parseCgroup reads lines "ID:CONTROLLERS:PATH". The kernel escapes line feeds
// in paths.
func parseCgroup(b []byte) (p cgroupPaths) {
	for len(b) > 0 {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte{'\n'})
		_, rest, ok := bytes.Cut(line, []byte{':'})
		controllers, path, ok2 := bytes.Cut(rest, []byte{':'})
		if !ok || !ok2 || len(path) == 0 || path[0] != '/' {
			continue
		}
		switch string(controllers) {
		case "":
			p.v2 = path
		case "name=systemd":
			p.systemd = path
		}
	}
	return p
}
