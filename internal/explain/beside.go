// SPDX-License-Identifier: Apache-2.0

package explain

import "github.com/landlockd/landlockd/access"

// DeniesMounts reports whether all domains of the process deny to change what is mounted: each
// that handles a right to files does, whatever its rules say.
func (e *Explanation) DeniesMounts() access.Answer {
	all := access.Yes
	for i := range e.Sandboxes {
		all = all.And(e.Sandboxes[i].Means.DeniesMounts())
	}
	return all
}

// beside writes what domains deny without being asked, and what none denies.
func (t *textWriter) beside() {
	if len(t.e.Sandboxes) == 0 {
		return
	}
	who := ""
	if t.e.Free > 0 {
		who = ", of its threads in domains"
	}
	t.line("\nWhat no right stands for%s%s:", who, t.butWorkers())
	// With CAP_PERFMON newer kernels let read what needs less: /proc/PID/environ, maps.
	t.line("  - to trace processes outside of its domains (ptrace(2), process_vm_readv(2), " +
		"/proc/PID/mem): no")
	mounts := map[access.Answer]string{
		access.Yes: "no", access.Unknown: "not known, as it is not known whether its domains handle " +
			"rights to files", access.No: "yes (only a domain that handles rights to files denies it)",
	}
	t.line("  - to mount, to unmount, pivot_root(2): %s", mounts[t.e.DeniesMounts()])
	t.line("  - to see metadata and to change it (stat(2), access(2), chmod(2), chown(2), utime(2), " +
		"setxattr(2)), chdir(2), chroot(2), flock(2), fcntl(2): yes, no domain denies it")
}
