// SPDX-License-Identifier: Apache-2.0

// Package seccomp restricts the serving stage to the system calls that serving takes, and
// the process that reads the attribute beside it to fewer.
//
// Landlock keeps that stage from files, ports and other processes, but not from all that
// the kernel lets a process without any privilege do: prlimit(2) on processes of the same
// user, io_uring, keyrings, userfaultfd, new user namespaces, and the many calls that few
// programs need and that flaws are found in. So there is a list of what is allowed. All
// else fails with EPERM, and is logged by the kernel; a call by another ABI of the machine
// (of 32 bits, or x32), for which the numbers mean something else, ends the process.
//
// On s390x, where landlockd can be built and is not released, less is kept out: arguments of
// mmap(2) and of calls of sockets are in memory there, where no filter looks.
package seccomp
