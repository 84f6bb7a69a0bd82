// SPDX-License-Identifier: Apache-2.0

// Package explain puts in words what is known of one process: its sandbox, who
// made it, and what it may still do.
//
// [Of] is a pure function of a snapshot. What follows from looking at the host,
// paths (package places) and sockets (package sockets), is put into its result by
// the caller, with the caller's own rights. All text of others is escaped where
// it is written.
package explain
