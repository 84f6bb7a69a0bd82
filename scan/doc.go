// SPDX-License-Identifier: Apache-2.0

// Package scan holds what is found out about a host at one time.
//
// A [Source] is a way of reading the Landlock domain of every task; packages taskiter and
// procattr have one each. [Source.Scan] returns a [Snapshot]: a value that nobody changes
// afterwards. Every view of a host (metrics, tree, rules) is a pure function of a snapshot:
//
//	snap, err := source.Scan(ctx)
//	if err != nil {
//		return err // nothing of this scan may be used
//	}
//	if share, known := snap.Count().Processes.Coverage(); known {
//		fmt.Printf("%.1f %% of the processes are sandboxed\n", 100*share)
//	}
//
// A [Process] has a [State]: sandboxed, partial, unsandboxed, or unknown with a [Reason].
// Unknown is not unsandboxed: a read that was refused, or a process that changed all the
// while, proves nothing. Every statement about a process was true at some instant of its
// scan. What being in domains means for it is [Snapshot.SandboxOf].
//
// Names, paths and how many there are of them are chosen by whoever runs processes on the
// host: escape them before they are printed, and bound what grows with them. [Workload.Name]
// alone is fit to be shown as it is.
//
// Scans cost time, and a source can be used by one caller at a time. [Shared] lets any number
// of readers share scans.
//
// An [Error] of a source has a kind, for errors.Is: [ErrAbsent], this kernel does not have
// what is needed; [ErrDenied], this process may not use it; [ErrGone]; and [ErrBroken]. Its
// reason is a short stable name, fit for a label.
//
// The package itself needs no privilege. [Uptime] and [ReadClockOffsets] read the caller's
// own entry in /proc.
package scan
