// SPDX-License-Identifier: Apache-2.0

// Package denials counts what Landlock denies.
//
// The kernel offers up to three ways. It counts the denials of each domain
// (Linux 6.15), which [Tracker] adds up over domains that come and go. It writes
// audit records where audit is switched on (6.15, package audit), and it has
// tracepoints (7.3, package trace): those two give what was denied, and to whom.
// [Monitor] puts all that together; it neither opens nor reads anything.
//
// All text in a denial is chosen by others. Whatever is kept of it has a fixed
// size, so that a flood of denials costs time but no memory.
package denials
