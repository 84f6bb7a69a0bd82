// SPDX-License-Identifier: Apache-2.0

// Package runs counts processes that ended, by what they were when they did: what runs
// between two scans, no scan sees.
//
// A run is a process's life, from its start to its exit. A stretch of it that ends by
// execve(2) is a launch. Programs in the kernel (package trace) count both in cells, one
// for all that are alike in everything that rules see, so that a storm of one program is
// one cell. [Tally] adds up what they counted, by state, workload and rule.
package runs
