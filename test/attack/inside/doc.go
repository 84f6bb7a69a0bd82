// SPDX-License-Identifier: Apache-2.0

// Package inside is what somebody does who has taken over the serving process.
//
// A debug build of landlockd has it (the build tag attack, cmd/landlockd/attack.go). Its
// serving stage does, when it gets SIGUSR1, what the first argument of its command
// line asks for (Name), and writes a Report to standard error. Whoever started it looks at
// the report with Problems: each attack must have been refused, in the way that the table
// of attacks has for it.
package inside
