// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/landlockd/landlockd/internal/dirent"
)

// podDir is the directory of a pod's logs, NAMESPACE_POD_UID, which has one for each
// of its containers, whether it runs or not.
type podDir struct{ namespace, pod, path string }

// readPods returns the directories of those pods whose UIDs are wanted. It returns
// none where they cannot be read.
func readPods(dir string, wanted map[string]*podNames) {
	n := 0
	for d, err := range dirent.ReadPath(dir, make([]byte, 32<<10)) {
		if n++; err != nil || n > maxLogs {
			return
		}
		parts := strings.Split(string(d.Name), "_")
		if len(parts) != 3 || !isDNSName(parts[0], 63) || !isDNSName(parts[1], 253) {
			continue
		}
		if p := wanted[parts[2]]; p != nil {
			p.dir = podDir{parts[0], parts[1], filepath.Join(dir, string(d.Name))}
		}
	}
}

// has reports whether the pod has a container of a name.
func (d podDir) has(container string) bool {
	info, err := os.Lstat(filepath.Join(d.path, container))
	return err == nil && info.IsDir()
}

// isEmpty reports whether no container of the pod was ever started.
func (d podDir) isEmpty() bool {
	for _, err := range dirent.ReadPath(d.path, make([]byte, 4<<10)) {
		_ = err // it is not known to be empty then, either
		return false
	}
	return true
}
