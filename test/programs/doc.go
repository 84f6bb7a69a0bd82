// SPDX-License-Identifier: Apache-2.0

// Package programs starts real programs that sandbox themselves, as Debian has
// them, and compares what a scan says of their tasks with what strace(1) saw them
// ask for.
//
// Nothing is installed: the packages are unpacked into a tree that is kept in the
// cache (OpenTree), and each program runs in a mount namespace of its own in which
// that tree is the system (Start). strace writes a file for each task, from which
// ReadTrace works out which rulesets the task is restricted by; Compare holds a
// snapshot against that.
package programs
