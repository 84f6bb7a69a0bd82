// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// DefaultLogs is where Kubernetes puts a link to the log of each container.
const DefaultLogs = "/var/log/containers"

// maxLogs bounds how many entries of that directory are looked at.
const maxLogs = 1 << 16

// readLogs calls found with each container that the names in a directory of logs
// tell of. It opens none of them. A directory that is not there tells of none.
func readLogs(dir string, found func(c scan.Container)) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return // names come from executables then
	}
	defer unix.Close(fd)
	n := 0
	for d, err := range listing(fd, make([]byte, 32<<10)) {
		if n++; err != nil || n > maxLogs {
			return
		}
		if c, ok := parseLog(string(d.name)); ok {
			found(c)
		}
	}
}

// parseLog reads the name of a container's log: POD_NAMESPACE_CONTAINER-ID.log.
func parseLog(name string) (c scan.Container, ok bool) {
	name, ok = strings.CutSuffix(name, ".log")
	if !ok {
		return c, false
	}
	name, c.ID, ok = cutID(name)
	parts := strings.Split(name, "_")
	if !ok || len(parts) != 3 {
		return c, false
	}
	c.Pod, c.Namespace, c.Name = parts[0], parts[1], parts[2]
	return c, isDNSName(c.Pod, 253) && isDNSName(c.Namespace, 63) && isDNSName(c.Name, 63)
}

// isDNSName reports whether Kubernetes could have accepted a name.
func isDNSName(s string, limit int) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && len(s) <= limit
}
