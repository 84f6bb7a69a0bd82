// SPDX-License-Identifier: Apache-2.0

// Package tree writes a snapshot as text: [Tree] is the host's process tree with its
// domains, [Domains] the domains with their processes, [List] processes in rows, [Summary]
// one line.
//
// Every function is pure: equal snapshots give equal output, byte for byte. Names that
// others chose are written by internal/untrusted.
package tree
