// SPDX-License-Identifier: Apache-2.0

// Package workload gives processes the names that people use: of systemd's units
// and of containers, and else of executables.
//
// [Parse] returns what the path of a cgroup shows; it reads nothing. [Resolver] finds
// the paths that belong to the cgroup IDs of a snapshot and fills in its
// workloads, and [NewSource] does so for each snapshot of another source.
//
// All text that it reads is chosen by others. What it returns as a name to show is
// valid UTF-8 without control characters, never empty and at most 128 bytes long.
// docs/workloads.md explains to users how names come about.
package workload

//go:generate go test -run ^TestTableOfLayouts$ -update .
