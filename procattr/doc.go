// SPDX-License-Identifier: Apache-2.0

// Package procattr reads the Landlock domain of every task from
// /proc/[pid]/task/[tid]/attr/landlock/domain, on kernels that have this file. No mainline
// kernel has; a patch is needed. Every form in which such a file has been proposed is
// understood ([Source.Form]).
//
//	source, err := procattr.Open(procattr.Options{})
//	if errors.Is(err, scan.ErrAbsent) {
//		return err // this kernel does not show domains
//	}
//	defer source.Close()
//	snap, err := source.Scan(ctx)
//
// [Open] learns the form from threads that it sandboxes itself. Then a [Source.Scan] needs
// no more than the right to look at other processes: CAP_SYS_PTRACE, or the same user. What
// the kernel refuses to show is unknown, reason denied. The reader must not be in a Landlock
// domain itself, for then it may only look at domains nested in its own.
//
// A scan takes a bounded number of system calls for each task, and allocates for what is new
// alone.
//
// An error is a *[scan.Error]; [Reasons] lists its reasons. A host without Landlock is none:
// all of its processes are known to be unsandboxed.
//
// What depends on the mount: with hidepid=2 or 4 other users' processes are not there at all
// ([Source.HidePID]); with hidepid=1 they are there, and nothing is known of them but their
// number and user, kernel threads among them.
//
// What the file does not show: what a domain restricts, and in which others it is nested.
// Lineage is inferred over time, where that is sound, and depth is a lower bound. Threads
// that the kernel made for a process (io_uring, vhost) are its workers: the file shows one
// of their two sets of credentials, and the other is unknown. Users, no_new_privs and
// seccomp are those of every thread.
//
// A process is named by PID and start time. Start times have a resolution of 10 ms here.
// Process.Exec counts the times that landlockd noticed another program, and not what the
// kernel counts.
package procattr
