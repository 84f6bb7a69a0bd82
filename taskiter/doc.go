// SPDX-License-Identifier: Apache-2.0

// Package taskiter reads the Landlock domain of every task on stock kernels, by an eBPF task
// iterator.
//
//	source, err := taskiter.Open(taskiter.Options{})
//	if err != nil {
//		return err // errors.Is(err, scan.ErrDenied): CAP_BPF or CAP_PERFMON is missing
//	}
//	defer source.Close()
//	snap, err := source.Scan(ctx)
//
// [Open] needs CAP_BPF and CAP_PERFMON (Linux 5.8), and a kernel with type information
// (CONFIG_DEBUG_INFO_BTF) that is not locked down for confidentiality. It loads the
// programs, and finds out where Landlock keeps its part of a task's credentials: for that it
// sandboxes threads of its own, which end with it. If the place is in doubt, it fails.
//
// From Linux 5.19 on a [Source] then needs no capability at all, and can be handed to a
// process that never had one ([Source.Handoff], [Resume]).
//
// A [Source.Scan] is one pass over the host's tasks, and further ones over what changed
// meanwhile. It takes a number of system calls that grows with the bytes returned (32 KiB
// each), not with processes, and a fixed number of allocations. What a domain's rules grant
// is read within a budget of time: what is left is unknown in this snapshot, and the next
// scan goes on.
//
// An error is a *[scan.Error]; [Reasons] lists its reasons. A host without Landlock is none:
// all of its processes are known to be unsandboxed.
//
// What it cannot see: processes outside of its PID namespace ([scan.SourceInfo] says so),
// and, before Linux 6.15, the kernel's own ID of a domain. It derives one then, which holds
// for one Source, and may change while no task stays that vouches for it. Before
// Linux 5.17 it does not read rules, and what is handled stands in for what is restricted.
// No address of the kernel leaves the process.
package taskiter
