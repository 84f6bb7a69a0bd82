// SPDX-License-Identifier: Apache-2.0

// Package view turns a snapshot into text and JSON: [Tree] is the host's
// process tree with its domains, [Domains] the domains with their processes,
// [JSON] everything in a versioned schema, [Summary] one line.
//
// Every function is pure: equal snapshots give equal output, byte for byte.
//
// Names of commands and paths are chosen by whoever runs processes on the host: all of
// them are written by internal/untrusted.
package view
