// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

// call is a system call that is allowed, if all its conditions hold. A call that stands
// more than once is allowed if one of its rows allows it.
type call struct {
	name   string
	number uint32
	when   []condition
}

// condition holds where the bits of an argument that are in mask are those of value.
type condition struct {
	argument    int
	mask, value uint64
}

const every = ^uint64(0)

// is returns the conditions that an argument has a value.
func is(argument int, value uint64) []condition {
	return []condition{{argument, every, value}}
}

// prSetVMA is prctl(2)'s name of Go's runtime for memory (PR_SET_VMA).
const prSetVMA = 0x53564d41

// calls returns what the serving stage calls: TestCalls traces it, and fails for a call
// that is not here. Each group has its reason; what is left out is a decision.
func calls() []call {
	// Threads of this process, and nothing that is one: neither fork(2) nor namespaces.
	const (
		thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD
		spaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
			unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	)
	noCode := []condition{{2, unix.PROT_EXEC, 0}} // no memory becomes code
	self := uint64(unix.Getpid())
	return []call{
		// Go's runtime: memory, threads, signals to its own threads, time.
		{"futex", unix.SYS_FUTEX, nil},
		{"nanosleep", unix.SYS_NANOSLEEP, nil},
		{"clock_nanosleep", unix.SYS_CLOCK_NANOSLEEP, nil},
		{"clock_gettime", unix.SYS_CLOCK_GETTIME, nil},
		{"clock_getres", unix.SYS_CLOCK_GETRES, nil},
		{"gettimeofday", unix.SYS_GETTIMEOFDAY, nil},
		{"sched_yield", unix.SYS_SCHED_YIELD, nil},
		{"sched_getaffinity", unix.SYS_SCHED_GETAFFINITY, nil},
		{"mmap", unix.SYS_MMAP, noCode},
		{"mprotect", unix.SYS_MPROTECT, noCode},
		{"munmap", unix.SYS_MUNMAP, nil},
		{"mremap", unix.SYS_MREMAP, nil},
		{"madvise", unix.SYS_MADVISE, nil},
		{"mincore", unix.SYS_MINCORE, nil},
		{"brk", unix.SYS_BRK, nil},
		{"clone", unix.SYS_CLONE, []condition{{0, thread | spaces, thread}}},
		{"set_robust_list", unix.SYS_SET_ROBUST_LIST, nil},
		{"set_tid_address", unix.SYS_SET_TID_ADDRESS, nil},
		{"rseq", unix.SYS_RSEQ, nil},
		{"gettid", unix.SYS_GETTID, nil},
		{"getpid", unix.SYS_GETPID, nil},
		{"tgkill", unix.SYS_TGKILL, is(0, self)},
		{"rt_sigaction", unix.SYS_RT_SIGACTION, nil},
		{"rt_sigprocmask", unix.SYS_RT_SIGPROCMASK, nil},
		{"rt_sigreturn", unix.SYS_RT_SIGRETURN, nil},
		{"sigaltstack", unix.SYS_SIGALTSTACK, nil},
		{"restart_syscall", unix.SYS_RESTART_SYSCALL, nil},
		{"getrandom", unix.SYS_GETRANDOM, nil},
		{"exit", unix.SYS_EXIT, nil},
		{"exit_group", unix.SYS_EXIT_GROUP, nil},
		{"prctl(PR_SET_VMA)", unix.SYS_PRCTL, is(0, prSetVMA)},
		// How it is confined itself, and what it may use.
		{"prctl(PR_SET_DUMPABLE, 0)", unix.SYS_PRCTL, append(is(0, unix.PR_SET_DUMPABLE), is(1, 0)...)},
		{"prctl(PR_GET_DUMPABLE)", unix.SYS_PRCTL, is(0, unix.PR_GET_DUMPABLE)},
		{"prctl(PR_GET_NO_NEW_PRIVS)", unix.SYS_PRCTL, is(0, unix.PR_GET_NO_NEW_PRIVS)},
		{"prctl(PR_GET_SECCOMP)", unix.SYS_PRCTL, is(0, unix.PR_GET_SECCOMP)},
		{"prlimit64 of itself", unix.SYS_PRLIMIT64, is(0, 0)},
		{"capget", unix.SYS_CAPGET, nil},
		{"getuid", unix.SYS_GETUID, nil},
		{"geteuid", unix.SYS_GETEUID, nil},
		{"getgid", unix.SYS_GETGID, nil},
		{"getegid", unix.SYS_GETEGID, nil},
		{"getppid", unix.SYS_GETPPID, nil},
		{"getrusage", unix.SYS_GETRUSAGE, nil},
		{"uname", unix.SYS_UNAME, nil},
		{"sysinfo", unix.SYS_SYSINFO, nil},
		// Threads that sandbox themselves, to learn what the attribute shows of them.
		{"prctl(PR_SET_NO_NEW_PRIVS)", unix.SYS_PRCTL, is(0, unix.PR_SET_NO_NEW_PRIVS)},
		{"landlock_create_ruleset", unix.SYS_LANDLOCK_CREATE_RULESET, nil},
		{"landlock_add_rule", unix.SYS_LANDLOCK_ADD_RULE, nil},
		{"landlock_restrict_self", unix.SYS_LANDLOCK_RESTRICT_SELF, nil},
		// Files: which, Landlock and the user decide.
		{"openat", unix.SYS_OPENAT, nil},
		{"openat2", unix.SYS_OPENAT2, nil},
		{"close", unix.SYS_CLOSE, nil},
		{"read", unix.SYS_READ, nil},
		{"pread64", unix.SYS_PREAD64, nil},
		{"readv", unix.SYS_READV, nil},
		{"write", unix.SYS_WRITE, nil},
		{"writev", unix.SYS_WRITEV, nil},
		{"lseek", unix.SYS_LSEEK, nil},
		{"fstat", unix.SYS_FSTAT, nil},
		{"newfstatat", newfstatat, nil},
		{"statx", unix.SYS_STATX, nil},
		{"statfs", unix.SYS_STATFS, nil},
		{"fstatfs", unix.SYS_FSTATFS, nil},
		{"getdents64", unix.SYS_GETDENTS64, nil},
		{"readlinkat", unix.SYS_READLINKAT, nil},
		{"faccessat", unix.SYS_FACCESSAT, nil},
		{"getcwd", unix.SYS_GETCWD, nil},
		{"fcntl", unix.SYS_FCNTL, nil},
		// What is ready.
		{"epoll_create1", unix.SYS_EPOLL_CREATE1, nil},
		{"epoll_ctl", unix.SYS_EPOLL_CTL, nil},
		{"epoll_pwait", unix.SYS_EPOLL_PWAIT, nil},
		{"eventfd2", unix.SYS_EVENTFD2, nil},
		{"ppoll", unix.SYS_PPOLL, nil},
		{"pipe2", unix.SYS_PIPE2, nil},
		// Sockets that it was given, and connections that come: none is made.
		{"accept4", unix.SYS_ACCEPT4, nil},
		{"shutdown", unix.SYS_SHUTDOWN, nil},
		{"getsockname", unix.SYS_GETSOCKNAME, nil},
		{"getpeername", unix.SYS_GETPEERNAME, nil},
		{"getsockopt", unix.SYS_GETSOCKOPT, nil},
		{"setsockopt", unix.SYS_SETSOCKOPT, nil},
		{"recvfrom", unix.SYS_RECVFROM, nil},
		{"recvmsg", unix.SYS_RECVMSG, nil},
		{"sendto", unix.SYS_SENDTO, nil},
		{"sendmsg", unix.SYS_SENDMSG, nil},
		// One scan is one iterator of the link that it was given.
		{"bpf(BPF_ITER_CREATE)", unix.SYS_BPF, is(0, unix.BPF_ITER_CREATE)},
	}
}
