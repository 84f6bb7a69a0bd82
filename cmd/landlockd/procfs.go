// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// checkProcfs reports whether procfs is mounted at a path: any directory would
// look like a host without processes.
func checkProcfs(path string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return fmt.Errorf("--path.procfs %q: %w", path, err)
	}
	if st.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("--path.procfs %q: procfs is not mounted there", path)
	}
	return nil
}
