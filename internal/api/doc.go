// SPDX-License-Identifier: Apache-2.0

// Package api serves facts of single processes on a Unix socket, and asks for
// them.
//
// Every user may connect: the check of the caller is the guard. Landlock's rule is
// that a sandboxed task must not learn its own restrictions, and that what is known
// of a task's domain is for those who may look at the task (PTRACE_MODE_READ). In doubt
// nothing is seen.
package api

// DefaultPath is where the socket is by default.
const DefaultPath = "/run/landlockd/landlockd.sock"
