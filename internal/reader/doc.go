// SPDX-License-Identifier: Apache-2.0

// Package reader reads a host in another process: one that may look at all processes, and
// has no network, for one that has a network and may look at none.
//
// The reader makes scans with a source and answers over a socket ([Serve]); whoever holds
// the other end asks it ([Open]), as a [scan.Source]. A request is "scan", with a number and
// nothing else. Names and paths in an answer are those of others, and a reader that was taken
// over may send anything: the answer is bounded, and each of its numbers is checked.
package reader
