// SPDX-License-Identifier: Apache-2.0

package seccomp

import "golang.org/x/sys/unix"

// call is a system call that is allowed, if all its conditions hold. A call that stands
// more than once is allowed if one of its rows allows it.
type call struct {
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

// without returns the conditions that an argument has none of some bits.
func without(argument int, bits uint64) []condition {
	return []condition{{argument, bits, 0}}
}

// prSetVMA is prctl(2)'s name of Go's runtime for memory (PR_SET_VMA).
const prSetVMA = 0x53564d41

// Calls are the system calls that a process may make.
type Calls []call

// Serving returns what the serving stage calls. A daemon that was refused a call fails its
// test (test/e2e/refused_test.go). Each group has its reason; what is left out is a decision.
func Serving() Calls {
	return append(append(common(serving[:]), socketCalls()...),
		// One scan is one iterator of the link that it was given.
		call{unix.SYS_BPF, is(0, unix.BPF_ITER_CREATE)},
		// Who connected, before Linux 6.5 (SO_PEERPIDFD). All that is done by such a descriptor
		// is refused, but to wait for the end of the process.
		call{unix.SYS_PIDFD_OPEN, is(1, 0)},
		// How connections end that nobody uses; many other options are for more than that.
		call{unix.SYS_SETSOCKOPT, append(is(1, unix.SOL_SOCKET), is(2, unix.SO_KEEPALIVE)...)},
		call{unix.SYS_SETSOCKOPT, append(is(1, unix.IPPROTO_TCP), is(2, unix.TCP_NODELAY)...)},
		call{unix.SYS_SETSOCKOPT, append(is(1, unix.IPPROTO_TCP), is(2, unix.TCP_KEEPIDLE)...)},
		call{unix.SYS_SETSOCKOPT, append(is(1, unix.IPPROTO_TCP), is(2, unix.TCP_KEEPINTVL)...)},
		call{unix.SYS_SETSOCKOPT, append(is(1, unix.IPPROTO_TCP), is(2, unix.TCP_KEEPCNT)...)},
	)
}

// common returns what each process of this program calls, and others whatever their
// arguments are.
func common(others []uint32) Calls {
	// Threads of this process, and nothing that is one: neither fork(2) nor namespaces.
	const (
		thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND |
			unix.CLONE_THREAD
		spaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
			unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	)
	noCode := without(2, unix.PROT_EXEC) // no memory becomes code
	self := uint64(unix.Getpid())
	c := Calls{
		// Go's runtime: memory, threads, signals to its own threads.
		{unix.SYS_MMAP, mapping(noCode)},
		{unix.SYS_MPROTECT, noCode},
		{unix.SYS_CLONE, []condition{{cloneFlags, thread | spaces, thread}}},
		{unix.SYS_TGKILL, is(0, self)},
		{unix.SYS_KILL, is(0, self)}, // so that all threads' stacks are shown when it fails
		{unix.SYS_PRCTL, is(0, prSetVMA)},
		// How it is confined itself, and what it may use.
		{unix.SYS_PRCTL, append(is(0, unix.PR_SET_DUMPABLE), is(1, 0)...)},
		{unix.SYS_PRCTL, is(0, unix.PR_GET_DUMPABLE)},
		{unix.SYS_PRCTL, is(0, unix.PR_GET_NO_NEW_PRIVS)},
		{unix.SYS_PRCTL, is(0, unix.PR_GET_SECCOMP)},
		{unix.SYS_PRLIMIT64, is(0, 0)}, // of itself
		// Files are read: no Landlock before Linux 6.2 keeps O_TRUNC from emptying one.
		{unix.SYS_OPENAT, without(2, unix.O_ACCMODE|unix.O_CREAT|unix.O_TRUNC)},
		// Others would have a file's events send signals, whatever the signal, to any process
		// of the same user (F_SETOWN, F_SETSIG).
		{unix.SYS_FCNTL, is(1, unix.F_GETFD)},
		{unix.SYS_FCNTL, is(1, unix.F_SETFD)},
		{unix.SYS_FCNTL, is(1, unix.F_GETFL)},
		{unix.SYS_FCNTL, is(1, unix.F_SETFL)},
		{unix.SYS_FCNTL, is(1, unix.F_DUPFD_CLOEXEC)},
	}
	for _, numbers := range [...][]uint32{unconditional[:], stat[:], others} {
		for _, number := range numbers {
			c = append(c, call{number: number})
		}
	}
	return c
}

// unconditional are allowed whatever their arguments are. It is never written.
var unconditional = [...]uint32{
	// Go's runtime: memory, threads, signals to its own threads, time.
	unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME,
	unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY, unix.SYS_SCHED_YIELD,
	unix.SYS_SCHED_GETAFFINITY, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MADVISE,
	unix.SYS_MINCORE, unix.SYS_BRK, unix.SYS_SET_ROBUST_LIST, unix.SYS_SET_TID_ADDRESS,
	unix.SYS_RSEQ, unix.SYS_GETTID, unix.SYS_GETPID, unix.SYS_RT_SIGACTION,
	unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
	unix.SYS_RESTART_SYSCALL, unix.SYS_GETRANDOM, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	// How it is confined itself, and what it may use.
	unix.SYS_CAPGET, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID,
	unix.SYS_GETPPID, unix.SYS_GETRUSAGE, unix.SYS_UNAME, unix.SYS_SYSINFO,
	// Files: which, the user decides, and of the serving stage Landlock.
	unix.SYS_CLOSE, unix.SYS_READ, unix.SYS_PREAD64, unix.SYS_WRITE, unix.SYS_LSEEK,
	unix.SYS_FSTAT, unix.SYS_STATX, unix.SYS_STATFS, unix.SYS_FSTATFS,
	unix.SYS_GETDENTS64, unix.SYS_READLINKAT, unix.SYS_FACCESSAT,
	// What is ready: Go's runtime ends a program that it cannot ask.
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2,
}

// serving are the calls of the serving stage alone. It is never written.
var serving = [...]uint32{
	unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_GETCWD, unix.SYS_PPOLL,
	// Sockets that it was given, and connections that come: none is made. What is sent is
	// written: sendto(2) and sendmsg(2) can name another receiver, of the service manager's
	// socket too, and recvmsg(2) takes descriptors.
	unix.SYS_ACCEPT4, unix.SYS_SHUTDOWN, unix.SYS_GETSOCKNAME, unix.SYS_GETPEERNAME,
	unix.SYS_GETSOCKOPT, unix.SYS_RECVFROM,
}
