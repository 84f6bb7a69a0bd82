// SPDX-License-Identifier: Apache-2.0

// Package trace counts in the kernel what processes were when they ended.
//
// Tracepoints note when a process begins, executes another program and ends
// (bpf/events.h). What is alike in all that rules see is counted in one cell (bpf/count.h),
// so that a storm of one program takes no more room than one run of it. There are two tables
// of cells: while one is counted in, the other is emptied and stands still. [Open] loads the
// programs; a [Reader], which needs no capability, drains them.
package trace
