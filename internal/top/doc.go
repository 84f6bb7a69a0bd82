// SPDX-License-Identifier: Apache-2.0

// Package top shows a host live on a terminal: how much of it is sandboxed, and was, its
// workloads, processes, domains and last denials. [Run] has the terminal; what is drawn is a
// pure function of what was seen and of the keys that were pressed.
//
// Names that others chose are written by internal/untrusted.
package top
