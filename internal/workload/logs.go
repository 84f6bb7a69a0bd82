// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"errors"
	"strings"

	"github.com/landlockd/landlockd/scan"
)

// DefaultLogs is where Kubernetes puts a link to the log of each container.
const DefaultLogs = "/var/log/containers"

// DefaultPodLogs is where it has a directory with the logs of each pod.
const DefaultPodLogs = "/var/log/pods"

// Bounds of one look at the logs.
const (
	maxLogs = 1 << 16 // entries of a directory
	maxCut  = 1 << 10 // names that are cut
)

// kubelet cuts POD_NAMESPACE_CONTAINER-ID to that length and appends ".log".
const longestStem = 251

var errManyLogs = errors.New("too many logs to look at them all")

// parseLog reads the name of a container's log: POD_NAMESPACE_CONTAINER-ID.log.
func parseLog(name string) (c scan.Container, ok bool) {
	name, isLog := strings.CutSuffix(name, ".log")
	stem, id, hasID := cutID(name)
	c, ok = parseStem(stem)
	c.ID = id
	return c, ok && isLog && hasID
}

// parseCut reads the name of a log that is cut within the container's ID, of which it
// returns what is left. What it takes for an ID may be the end of a container's name.
func parseCut(stem string) (c scan.Container, ok bool) {
	at := strings.LastIndexByte(stem, '-')
	if at < 0 || !isHex(stem[at+1:]) {
		return c, false
	}
	c, ok = parseStem(stem[:at])
	c.ID = stem[at+1:]
	return c, ok
}

// parseStem reads POD_NAMESPACE_CONTAINER.
func parseStem(name string) (c scan.Container, ok bool) {
	parts := strings.Split(name, "_")
	if len(parts) != 3 {
		return c, false
	}
	c.Pod, c.Namespace, c.Name = parts[0], parts[1], parts[2]
	return c, isDNSName(c.Pod, 253) && isDNSName(c.Namespace, 63) && isDNSName(c.Name, 63)
}

// isDNSName reports whether Kubernetes could have accepted a name.
func isDNSName(s string, limit int) bool {
	return s != "" && len(s) <= limit && consistsOf(s, lower+decimal+"-.")
}
