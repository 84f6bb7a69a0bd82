// SPDX-License-Identifier: Apache-2.0

package inside

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// here is the current directory, for calls that take another.
	here = unix.AT_FDCWD
	// self can be read by the serving stage, as little else can.
	self = "/proc/self/status"

	socket inherited = "socket:"
)

// nothing is more memory than any structure takes.
func nothing() []byte { return make([]byte, 4096) }

// attacks returns the table.
func attacks(v victims) []attack {
	return slices.Concat(reads(v), writes(), victim("root's process", v.root),
		victim("a process of its user", v.same), children(), sockets(), itself(), kernel(), machine())
}

// reads are of files that everybody may read, or that its user may, but for its domain.
func reads(v victims) (all []attack) {
	pids := strings.NewReplacer("ROOT", fmt.Sprint(v.root), "SAME", fmt.Sprint(v.same))
	for _, path := range []string{
		"/etc/shadow", "/etc/passwd", "/", "/proc", "/proc/1/status", "/dev/null", "/sys/kernel",
		"/proc/self/root/etc/passwd", "/proc/ROOT/mem", "/proc/ROOT/environ", "/proc/ROOT/ns/net",
		"/proc/SAME/mem", "/proc/SAME/environ", "/proc/SAME/maps", "/proc/SAME/fd", "/proc/SAME/fd/0",
	} {
		all = append(all, attack{"read " + path, byLandlock, unix.SYS_OPENAT,
			[]any{here, pids.Replace(path), unix.O_RDONLY}})
	}
	return all
}

// writes are of files, and of what makes, moves and removes them.
func writes() []attack {
	return []attack{
		{"open to write", bySeccomp, unix.SYS_OPENAT, []any{here, self, unix.O_WRONLY}},
		{"open to change", bySeccomp, unix.SYS_OPENAT, []any{here, "/dev/null", unix.O_RDWR}},
		{"open to empty", bySeccomp, unix.SYS_OPENAT, []any{here, self, unix.O_TRUNC}},
		{"open to make", bySeccomp, unix.SYS_OPENAT, []any{here, "/tmp/inside", unix.O_CREAT, 0o600}},
		{"openat2", bySeccomp, unix.SYS_OPENAT2, []any{here, self, nothing(), unix.SizeofOpenHow}},
		{"open_by_handle_at", bySeccomp, unix.SYS_OPEN_BY_HANDLE_AT, []any{here, nothing(), 0}},
		{"truncate", bySeccomp, unix.SYS_TRUNCATE, []any{"/tmp/inside", 0}},
		{"ftruncate", bySeccomp, unix.SYS_FTRUNCATE, []any{2, 0}},
		{"mkdirat", bySeccomp, unix.SYS_MKDIRAT, []any{here, "/tmp/inside", 0o700}},
		{"mknodat", bySeccomp, unix.SYS_MKNODAT, []any{here, "/tmp/inside", unix.S_IFIFO | 0o600, 0}},
		{"linkat", bySeccomp, unix.SYS_LINKAT, []any{here, self, here, "/tmp/inside", 0}},
		{"symlinkat", bySeccomp, unix.SYS_SYMLINKAT, []any{"/", here, "/tmp/inside"}},
		{"unlinkat", bySeccomp, unix.SYS_UNLINKAT, []any{here, "/tmp/inside", 0}},
		{"renameat2", bySeccomp, unix.SYS_RENAMEAT2, []any{here, "/tmp/inside", here, "/tmp/outside", 0}},
		{"fchmodat", bySeccomp, unix.SYS_FCHMODAT, []any{here, "/tmp", 0o777}},
		{"fchmod", bySeccomp, unix.SYS_FCHMOD, []any{2, 0o777}},
		{"fchownat", bySeccomp, unix.SYS_FCHOWNAT, []any{here, "/tmp", -1, -1, 0}},
		{"setxattr", bySeccomp, unix.SYS_SETXATTR, []any{"/tmp", "user.x", "x", 1, 0}},
		{"utimensat", bySeccomp, unix.SYS_UTIMENSAT, []any{here, "/tmp", 0, 0}},
		{"copy_file_range", bySeccomp, unix.SYS_COPY_FILE_RANGE, []any{0, 0, 2, 0, 1, 0}},
		{"sendfile", bySeccomp, unix.SYS_SENDFILE, []any{2, 0, 0, 1}},
		{"splice", bySeccomp, unix.SYS_SPLICE, []any{0, 0, 2, 0, 1, 0}},
		{"inotify_init1", bySeccomp, unix.SYS_INOTIFY_INIT1, nil},
		{"fanotify_init", bySeccomp, unix.SYS_FANOTIFY_INIT, nil},
		{"flock", bySeccomp, unix.SYS_FLOCK, []any{2, unix.LOCK_SH | unix.LOCK_NB}},
		{"chroot", bySeccomp, unix.SYS_CHROOT, []any{"/proc/self"}},
		{"chdir", bySeccomp, unix.SYS_CHDIR, []any{"/"}},
		{"mount", bySeccomp, unix.SYS_MOUNT, []any{"x", "/tmp", "tmpfs", 0, 0}},
		{"umount2", bySeccomp, unix.SYS_UMOUNT2, []any{"/tmp", 0}},
		{"open_tree", bySeccomp, unix.SYS_OPEN_TREE, []any{here, "/", 0}},
		{"move_mount", bySeccomp, unix.SYS_MOVE_MOUNT, []any{here, "/", here, "/tmp", 0}},
		{"fsopen", bySeccomp, unix.SYS_FSOPEN, []any{"tmpfs", 0}},
		{"pivot_root", bySeccomp, unix.SYS_PIVOT_ROOT, []any{"/tmp", "/tmp"}},
	}
}

// victim is what is done to another process. Signals are 0, which only asks whether one
// may be sent: the test's own process is root's.
func victim(whose string, pid int) []attack {
	all := []attack{
		{"prlimit64", bySeccomp, unix.SYS_PRLIMIT64, []any{pid, unix.RLIMIT_CORE, 0, nothing()}},
		{"ptrace", bySeccomp, unix.SYS_PTRACE, []any{unix.PTRACE_ATTACH, pid}},
		{"ptrace, seized", bySeccomp, unix.SYS_PTRACE, []any{unix.PTRACE_SEIZE, pid}},
		{"process_vm_readv", bySeccomp, unix.SYS_PROCESS_VM_READV, []any{pid, nothing(), 1, nothing(), 1, 0}},
		{"process_vm_writev", bySeccomp, unix.SYS_PROCESS_VM_WRITEV, []any{pid, nothing(), 1, nothing(), 1, 0}},
		{"pidfd_open, of a thread", bySeccomp, unix.SYS_PIDFD_OPEN, []any{pid, unix.O_EXCL}},
		{"kill", bySeccomp, unix.SYS_KILL, []any{pid, 0}},
		{"tgkill", bySeccomp, unix.SYS_TGKILL, []any{pid, pid, 0}},
		{"tkill", bySeccomp, unix.SYS_TKILL, []any{pid, 0}},
		{"rt_sigqueueinfo", bySeccomp, unix.SYS_RT_SIGQUEUEINFO, []any{pid, 0, nothing()}},
		{"rt_tgsigqueueinfo", bySeccomp, unix.SYS_RT_TGSIGQUEUEINFO, []any{pid, pid, 0, nothing()}},
		{"F_SETOWN", bySeccomp, unix.SYS_FCNTL, []any{socket, unix.F_SETOWN, pid}},
		{"sched_setaffinity", bySeccomp, unix.SYS_SCHED_SETAFFINITY, []any{pid, 8, nothing()}},
		{"sched_setscheduler", bySeccomp, unix.SYS_SCHED_SETSCHEDULER, []any{pid, 0, nothing()}},
		{"sched_setattr", bySeccomp, unix.SYS_SCHED_SETATTR, []any{pid, nothing(), 0}},
		{"setpriority", bySeccomp, unix.SYS_SETPRIORITY, []any{unix.PRIO_PROCESS, pid, 19}},
		{"ioprio_set", bySeccomp, unix.SYS_IOPRIO_SET, []any{1, pid, 0}},
		{"migrate_pages", bySeccomp, unix.SYS_MIGRATE_PAGES, []any{pid, 0, nothing(), nothing()}},
		{"move_pages", bySeccomp, unix.SYS_MOVE_PAGES, []any{pid, 0, nothing(), nothing(), nothing(), 0}},
		{"kcmp", bySeccomp, unix.SYS_KCMP, []any{pid, pid, 0, 0, 0}},
		{"perf_event_open", bySeccomp, unix.SYS_PERF_EVENT_OPEN, []any{nothing(), pid, -1, -1, 0}},
		{"get_robust_list", bySeccomp, unix.SYS_GET_ROBUST_LIST, []any{pid, nothing(), nothing()}},
	}
	for i := range all {
		all[i].name += " of " + whose
	}
	return all
}

// children are programs, processes, namespaces, and ways to other processes.
func children() []attack {
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	return []attack{
		{"execve", bySeccomp, unix.SYS_EXECVE, []any{"/proc/self/exe", 0, 0}},
		{"execveat", bySeccomp, unix.SYS_EXECVEAT, []any{here, "/proc/self/exe", 0, 0, 0}},
		{"memfd_create", bySeccomp, unix.SYS_MEMFD_CREATE, []any{"x", unix.MFD_EXEC}},
		{"clone", bySeccomp, unix.SYS_CLONE, []any{int(unix.SIGCHLD), 0}},
		{"clone that shares memory", bySeccomp, unix.SYS_CLONE, []any{unix.CLONE_VM | unix.CLONE_VFORK, nothing()}},
		{"clone into a user namespace", bySeccomp, unix.SYS_CLONE, []any{thread | unix.CLONE_NEWUSER, nothing()}},
		{"clone3", asUnknown, unix.SYS_CLONE3, []any{nothing(), 64}},
		{"unshare", bySeccomp, unix.SYS_UNSHARE, []any{unix.CLONE_NEWUSER}},
		{"setns", bySeccomp, unix.SYS_SETNS, []any{0, 0}},
		{"pidfd_getfd", bySeccomp, unix.SYS_PIDFD_GETFD, []any{0, 0, 0}},
		{"pidfd_send_signal", bySeccomp, unix.SYS_PIDFD_SEND_SIGNAL, []any{0, 0, 0, 0}},
		{"process_madvise", bySeccomp, unix.SYS_PROCESS_MADVISE, []any{0, nothing(), 1, 0, 0}},
		{"process_mrelease", bySeccomp, unix.SYS_PROCESS_MRELEASE, []any{0, 0}},
		{"shmget", bySeccomp, unix.SYS_SHMGET, []any{0, 4096, 0o1600}},
		{"msgget", bySeccomp, unix.SYS_MSGGET, []any{0, 0o1600}},
		{"semget", bySeccomp, unix.SYS_SEMGET, []any{0, 1, 0o1600}},
		{"mq_open", bySeccomp, unix.SYS_MQ_OPEN, []any{"x", unix.O_CREAT | unix.O_RDWR, 0o600, 0}},
		{"pipe2", bySeccomp, unix.SYS_PIPE2, []any{nothing(), 0}},
	}
}

// sockets are new ones, and those that it was given for more than what they are for.
func sockets() []attack {
	all := []attack{
		{"socketpair", bySeccomp, unix.SYS_SOCKETPAIR, []any{unix.AF_UNIX, unix.SOCK_STREAM, 0, nothing()}},
		{"connect a socket", bySeccomp, unix.SYS_CONNECT, []any{socket, nothing(), 16}},
		{"bind a socket", bySeccomp, unix.SYS_BIND, []any{socket, nothing(), 16}},
		{"listen on a socket", bySeccomp, unix.SYS_LISTEN, []any{socket, 1}},
		{"sendto", bySeccomp, unix.SYS_SENDTO, []any{socket, nothing(), 1, 0, nothing(), 16}},
		{"sendmsg", bySeccomp, unix.SYS_SENDMSG, []any{socket, nothing(), 0}},
		{"sendmmsg", bySeccomp, unix.SYS_SENDMMSG, []any{socket, nothing(), 1, 0}},
		{"recvmsg", bySeccomp, unix.SYS_RECVMSG, []any{socket, nothing(), unix.MSG_DONTWAIT}},
		{"recvmmsg", bySeccomp, unix.SYS_RECVMMSG, []any{socket, nothing(), 1, unix.MSG_DONTWAIT, 0}},
		{"a filter of a socket", bySeccomp, unix.SYS_SETSOCKOPT,
			[]any{socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, nothing(), 16}},
		{"F_SETSIG of a socket", bySeccomp, unix.SYS_FCNTL, []any{socket, unix.F_SETSIG, 9}},
		{"TIOCSTI", bySeccomp, unix.SYS_IOCTL, []any{2, unix.TIOCSTI, "x"}},
	}
	for name, family := range map[string]int{
		"AF_UNIX": unix.AF_UNIX, "AF_INET": unix.AF_INET, "AF_INET6": unix.AF_INET6, "AF_NETLINK": unix.AF_NETLINK,
		"AF_PACKET": unix.AF_PACKET, "AF_VSOCK": unix.AF_VSOCK, "AF_ALG": unix.AF_ALG, "AF_XDP": unix.AF_XDP,
	} {
		all = append(all, attack{"a socket of " + name, bySeccomp, unix.SYS_SOCKET, []any{family, unix.SOCK_DGRAM, 0}})
	}
	return all
}

// itself is what would undo how the process is confined, or make code of memory.
func itself() []attack {
	prctl := func(name string, arguments ...any) attack {
		return attack{"prctl " + name, bySeccomp, unix.SYS_PRCTL, arguments}
	}
	const page = 4096
	return []attack{
		prctl("PR_SET_DUMPABLE", unix.PR_SET_DUMPABLE, 1),
		prctl("PR_SET_PTRACER", unix.PR_SET_PTRACER, -1),
		prctl("PR_SET_MM", unix.PR_SET_MM, unix.PR_SET_MM_BRK, 0),
		prctl("PR_CAP_AMBIENT", unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, 0),
		prctl("PR_SET_SECCOMP", unix.PR_SET_SECCOMP, 1),
		{"seccomp", bySeccomp, unix.SYS_SECCOMP, []any{unix.SECCOMP_GET_ACTION_AVAIL, 0, nothing()}},
		{"capset", bySeccomp, unix.SYS_CAPSET, []any{nothing(), nothing()}},
		{"setuid", bySeccomp, unix.SYS_SETUID, []any{0}},
		{"setresuid", bySeccomp, unix.SYS_SETRESUID, []any{0, 0, 0}},
		{"setgroups", bySeccomp, unix.SYS_SETGROUPS, []any{0, 0}},
		{"personality", bySeccomp, unix.SYS_PERSONALITY, []any{0x0400000}}, // READ_IMPLIES_EXEC
		{"setsid", bySeccomp, unix.SYS_SETSID, nil},
		{"timer_create", bySeccomp, unix.SYS_TIMER_CREATE, []any{0, 0, nothing()}},
		{"setitimer", bySeccomp, unix.SYS_SETITIMER, []any{0, 0, 0}},
		{"mmap of code", bySeccomp, unix.SYS_MMAP, []any{
			0, page, unix.PROT_READ | unix.PROT_EXEC, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS, -1, 0}},
		{"mprotect of code", bySeccomp, unix.SYS_MPROTECT, []any{0, page, unix.PROT_EXEC}},
		{"pkey_mprotect", bySeccomp, unix.SYS_PKEY_MPROTECT, []any{0, page, unix.PROT_EXEC, -1}},
		{"remap_file_pages", bySeccomp, unix.SYS_REMAP_FILE_PAGES, []any{0, page, 0, 0, 0}},
		{"mlockall", bySeccomp, unix.SYS_MLOCKALL, []any{0}},
		{"mbind", bySeccomp, unix.SYS_MBIND, []any{0, page, 0, 0, 0, 0}},
		{"memfd_secret", bySeccomp, unix.SYS_MEMFD_SECRET, []any{0}},
	}
}

// kernel is what flaws of the kernel are found in, and what is root's.
func kernel() []attack {
	bpf := func(name string, command int) attack {
		return attack{"bpf " + name, bySeccomp, unix.SYS_BPF, []any{command, nothing(), 128}}
	}
	return []attack{
		bpf("PROG_LOAD", unix.BPF_PROG_LOAD), bpf("MAP_CREATE", unix.BPF_MAP_CREATE),
		bpf("OBJ_GET", unix.BPF_OBJ_GET), bpf("OBJ_PIN", unix.BPF_OBJ_PIN),
		bpf("MAP_LOOKUP_ELEM", unix.BPF_MAP_LOOKUP_ELEM), bpf("MAP_UPDATE_ELEM", unix.BPF_MAP_UPDATE_ELEM),
		bpf("MAP_GET_FD_BY_ID", unix.BPF_MAP_GET_FD_BY_ID), bpf("PROG_GET_FD_BY_ID", unix.BPF_PROG_GET_FD_BY_ID),
		bpf("OBJ_GET_INFO_BY_FD", unix.BPF_OBJ_GET_INFO_BY_FD), bpf("LINK_CREATE", unix.BPF_LINK_CREATE),
		bpf("LINK_UPDATE", unix.BPF_LINK_UPDATE), bpf("LINK_DETACH", unix.BPF_LINK_DETACH),
		bpf("PROG_TEST_RUN", unix.BPF_PROG_TEST_RUN),
		bpf("BTF_LOAD", unix.BPF_BTF_LOAD), bpf("TASK_FD_QUERY", unix.BPF_TASK_FD_QUERY),
		{"io_uring_setup", bySeccomp, unix.SYS_IO_URING_SETUP, []any{4, nothing()}},
		{"io_uring_enter", bySeccomp, unix.SYS_IO_URING_ENTER, []any{0, 0, 0, 0, 0, 0}},
		{"io_uring_register", bySeccomp, unix.SYS_IO_URING_REGISTER, []any{0, 0, 0, 0}},
		{"userfaultfd", bySeccomp, unix.SYS_USERFAULTFD, []any{1}}, // of user mode alone
		{"keyctl of root's keyring", bySeccomp, unix.SYS_KEYCTL, []any{unix.KEYCTL_GET_KEYRING_ID, unix.KEY_SPEC_SESSION_KEYRING, 0}},
		{"keyctl that reads a key", bySeccomp, unix.SYS_KEYCTL, []any{unix.KEYCTL_READ, unix.KEY_SPEC_SESSION_KEYRING, nothing(), 64}},
		{"add_key", bySeccomp, unix.SYS_ADD_KEY, []any{"user", "x", "x", 1, unix.KEY_SPEC_PROCESS_KEYRING}},
		{"request_key", bySeccomp, unix.SYS_REQUEST_KEY, []any{"user", "x", 0, 0}},
		{"kexec_load", bySeccomp, unix.SYS_KEXEC_LOAD, []any{0, 0, 0, 0}},
		{"kexec_file_load", bySeccomp, unix.SYS_KEXEC_FILE_LOAD, []any{-1, -1, 0, 0, 0}},
		{"init_module", bySeccomp, unix.SYS_INIT_MODULE, []any{nothing(), 0, ""}},
		{"finit_module", bySeccomp, unix.SYS_FINIT_MODULE, []any{-1, "", 0}},
		{"delete_module", bySeccomp, unix.SYS_DELETE_MODULE, []any{"", 0}},
		{"reboot", bySeccomp, unix.SYS_REBOOT, []any{0, 0, 0, 0}},
		{"swapoff", bySeccomp, unix.SYS_SWAPOFF, []any{"/"}},
		{"acct", bySeccomp, unix.SYS_ACCT, []any{"/"}},
		{"sethostname", bySeccomp, unix.SYS_SETHOSTNAME, []any{"x", 1}},
		{"clock_settime", bySeccomp, unix.SYS_CLOCK_SETTIME, []any{0, nothing()}},
		{"adjtimex", bySeccomp, unix.SYS_ADJTIMEX, []any{nothing()}},
		{"syslog", bySeccomp, unix.SYS_SYSLOG, []any{3, nothing(), 64}},
		{"quotactl", bySeccomp, unix.SYS_QUOTACTL, []any{0, 0, 0, 0}},
		{"vhangup", bySeccomp, unix.SYS_VHANGUP, nil},
		{"name_to_handle_at", bySeccomp, unix.SYS_NAME_TO_HANDLE_AT, []any{here, "/", nothing(), nothing(), 0}},
		{"a number that is no call", bySeccomp, 4000, nil},
	}
}
