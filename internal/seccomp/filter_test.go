// SPDX-License-Identifier: Apache-2.0

package seccomp

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// data is struct seccomp_data as x/net's virtual machine reads it: each word of 32 bits
// stands where the kernel has it, but big-endian.
func data(arch, number uint32, arguments ...uint64) []byte {
	b := make([]byte, offsetArguments+6*8)
	binary.BigEndian.PutUint32(b[offsetNumber:], number)
	binary.BigEndian.PutUint32(b[offsetArch:], arch)
	for i, a := range arguments {
		binary.BigEndian.PutUint32(b[half(i, 0):], uint32(a))
		binary.BigEndian.PutUint32(b[half(i, 32):], uint32(a>>32))
	}
	return b
}

const (
	allow  = unix.SECCOMP_RET_ALLOW
	refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	kill   = unix.SECCOMP_RET_KILL_PROCESS
)

// assemble returns a filter, and what runs it as a program, without the kernel.
func assemble(t *testing.T, allowed Calls) ([]bpf.RawInstruction, func(in []byte) (uint32, error)) {
	t.Helper()
	raw, err := program(allowed)
	if err != nil {
		t.Fatal(err)
	}
	decoded, ok := bpf.Disassemble(raw)
	if !ok {
		t.Fatal("the filter has instructions that are none")
	}
	vm, err := bpf.NewVM(decoded)
	if err != nil {
		t.Fatal(err)
	}
	return raw, func(in []byte) (uint32, error) {
		result, err := vm.Run(in)
		return uint32(result), err
	}
}

// TestProgram: what serving takes is allowed, and nothing else.
func TestProgram(t *testing.T) {
	raw, run := assemble(t, Serving())
	self := uint64(unix.Getpid())
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD
	for name, c := range map[string]struct {
		in   []byte
		want uint32
	}{
		"read":                         {data(arch, unix.SYS_READ, 3), allow},
		"of a number that is none":     {data(arch, 4000), refuse},
		"by 32 bits":                   {data(unix.AUDIT_ARCH_I386, 3), kill},
		"by another machine":           {data(unix.AUDIT_ARCH_PPC64LE, unix.SYS_READ), kill},
		"by x32's numbers":             {data(arch, foreign+unix.SYS_READ), kill},
		"by the highest number":        {data(arch, 0xffffffff), kill},
		"an iterator":                  {data(arch, unix.SYS_BPF, unix.BPF_ITER_CREATE), allow},
		"who connected":                {data(arch, unix.SYS_PIDFD_OPEN, 7, 0), allow},
		"a thread as a descriptor":     {data(arch, unix.SYS_PIDFD_OPEN, 7, unix.O_EXCL), refuse},
		"a program":                    {data(arch, unix.SYS_BPF, unix.BPF_PROG_LOAD), refuse},
		"a map's look-up":              {data(arch, unix.SYS_BPF, unix.BPF_MAP_LOOKUP_ELEM), refuse},
		"an iterator, and high bits":   {data(arch, unix.SYS_BPF, unix.BPF_ITER_CREATE|1<<32), refuse},
		"limits of its own":            {data(arch, unix.SYS_PRLIMIT64, 0), allow},
		"limits of init":               {data(arch, unix.SYS_PRLIMIT64, 1), refuse},
		"a thread":                     {data(arch, unix.SYS_CLONE, thread), allow},
		"a process":                    {data(arch, unix.SYS_CLONE, uint64(unix.SIGCHLD)), refuse},
		"a process that shares memory": {data(arch, unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_VFORK), refuse},
		"a thread in a user namespace": {data(arch, unix.SYS_CLONE, thread|unix.CLONE_NEWUSER), refuse},
		"clone3":                       {data(arch, unix.SYS_CLONE3, 1<<20), unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		"memory":                       {data(arch, unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_WRITE), allow},
		"memory that is code":          {data(arch, unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC), refuse},
		"memory that becomes code":     {data(arch, unix.SYS_MPROTECT, 0, 4096, unix.PROT_EXEC), refuse},
		"a signal to itself":           {data(arch, unix.SYS_TGKILL, self, self, 23), allow},
		"a signal to init":             {data(arch, unix.SYS_TGKILL, 1, 1, 9), refuse},
		"a signal to a thread of its":  {data(arch, unix.SYS_KILL, self, 3), allow},
		"a signal to its group":        {data(arch, unix.SYS_KILL, 0, 9), refuse},
		"a signal to all":              {data(arch, unix.SYS_KILL, every, 9), refuse},
		"a signal to init, as a whole": {data(arch, unix.SYS_KILL, 1, 9), refuse},
		"its memory's names":           {data(arch, unix.SYS_PRCTL, prSetVMA), allow},
		"not dumpable":                 {data(arch, unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0), allow},
		"dumpable":                     {data(arch, unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1), refuse},
		"a file to read":               {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_RDONLY|unix.O_CLOEXEC), allow},
		"a place":                      {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_PATH|unix.O_DIRECTORY), allow},
		"a file to write":              {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_WRONLY), refuse},
		"a file to change":             {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_RDWR|unix.O_CLOEXEC), refuse},
		"a file to empty":              {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_TRUNC), refuse},
		"a file to make":               {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_CREAT), refuse},
		"a file without a name":        {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_TMPFILE|unix.O_RDWR), refuse},
		"a descriptor's flags":         {data(arch, unix.SYS_FCNTL, 3, unix.F_SETFL, unix.O_NONBLOCK), allow},
		"whom a descriptor signals":    {data(arch, unix.SYS_FCNTL, 3, unix.F_SETOWN, 1), refuse},
		"by what it signals":           {data(arch, unix.SYS_FCNTL, 3, unix.F_SETSIG, 9), refuse},
		"a connection's end":           {data(arch, unix.SYS_SETSOCKOPT, 3, unix.SOL_SOCKET, unix.SO_KEEPALIVE), allow},
		"a connection's pace":          {data(arch, unix.SYS_SETSOCKOPT, 3, unix.IPPROTO_TCP, unix.TCP_NODELAY), allow},
		"a socket's filter":            {data(arch, unix.SYS_SETSOCKOPT, 3, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER), refuse},
		"a socket's protocol":          {data(arch, unix.SYS_SETSOCKOPT, 3, unix.IPPROTO_TCP, unix.TCP_ULP), refuse},
		"a tracer":                     {data(arch, unix.SYS_PRCTL, unix.PR_SET_PTRACER, every), refuse},
	} {
		got, err := run(c.in)
		if err != nil || got != c.want {
			t.Errorf("%s: %#x (%v), want %#x", name, got, err, c.want)
		}
	}
	for _, number := range []uint32{
		unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV,
		unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
		unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_KEXEC_LOAD, unix.SYS_PERF_EVENT_OPEN,
		unix.SYS_USERFAULTFD, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_SOCKET, unix.SYS_CONNECT,
		unix.SYS_BIND, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER,
		unix.SYS_PIDFD_GETFD, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_SCHED_SETATTR,
		unix.SYS_IOPRIO_SET, unix.SYS_PROCESS_MADVISE, unix.SYS_MEMFD_CREATE, unix.SYS_SECCOMP,
		unix.SYS_SETUID, unix.SYS_SETRESUID, unix.SYS_CAPSET, unix.SYS_PERSONALITY, unix.SYS_IOCTL,
		unix.SYS_TKILL, unix.SYS_RT_SIGQUEUEINFO, unix.SYS_UNLINKAT, unix.SYS_RENAMEAT2,
		unix.SYS_FCHMODAT, unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_NAME_TO_HANDLE_AT,
		unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_SYSLOG, unix.SYS_SHMGET, unix.SYS_MSGGET,
		unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG, unix.SYS_RECVMSG, unix.SYS_PIPE2,
		unix.SYS_OPENAT2, unix.SYS_TRUNCATE, unix.SYS_FTRUNCATE, unix.SYS_SETITIMER,
		unix.SYS_TIMER_CREATE, unix.SYS_INOTIFY_INIT1, unix.SYS_FANOTIFY_INIT, unix.SYS_SETRLIMIT, unix.SYS_SETPRIORITY,
	} {
		for _, argument := range []uint64{0, self, unix.BPF_ITER_CREATE, prSetVMA, thread} {
			got, err := run(data(arch, number, argument))
			if err != nil || got != refuse {
				t.Errorf("call %d with %#x: %#x (%v), want it refused", number, argument, got, err)
			}
		}
	}
	if len(raw) > 4096 {
		t.Errorf("%d instructions: the kernel takes 4096 (BPF_MAXINSNS)", len(raw))
	}
}

// TestReading: the process that reads beside the serving stage makes no network, and asks
// the kernel for less.
func TestReading(t *testing.T) {
	_, run := assemble(t, Reading())
	for name, c := range map[string]struct {
		in   []byte
		want uint32
	}{
		"a file to read":           {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK), allow},
		"a file to write":          {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_WRONLY), refuse},
		"the owner of a namespace": {data(arch, unix.SYS_IOCTL, 3, unix.NS_GET_USERNS), allow},
		"input of a terminal":      {data(arch, unix.SYS_IOCTL, 0, unix.TIOCSTI), refuse},
		"its request":              {data(arch, unix.SYS_READ, 3), allow},
		"an iterator":              {data(arch, unix.SYS_BPF, unix.BPF_ITER_CREATE), refuse},
	} {
		if got, err := run(c.in); err != nil || got != c.want {
			t.Errorf("%s: %#x (%v), want %#x", name, got, err, c.want)
		}
	}
	for _, number := range []uint32{
		unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN,
		unix.SYS_ACCEPT4, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_RECVMSG, unix.SYS_PTRACE,
		unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP,
		unix.SYS_PIDFD_OPEN, unix.SYS_KILL, unix.SYS_SETNS, unix.SYS_OPENAT2, unix.SYS_PWRITE64,
	} {
		if got, err := run(data(arch, number, 0)); err != nil || got != refuse {
			t.Errorf("call %d: %#x (%v), want it refused", number, got, err)
		}
	}
}

// TestResolving: the process that opens what assets are makes no network, starts nothing, and
// opens no file by its handle, which its capability lets it.
func TestResolving(t *testing.T) {
	_, run := assemble(t, Resolving())
	for name, c := range map[string]struct {
		in   []byte
		want uint32
	}{
		"a place":             {data(arch, unix.SYS_OPENAT2, 3), allow},
		"a file to write":     {data(arch, unix.SYS_OPENAT, 3, 0, unix.O_WRONLY), refuse},
		"where a place is":    {data(arch, unix.SYS_READLINKAT, 3), allow},
		"names":               {data(arch, unix.SYS_GETDENTS64, 3), allow},
		"its request":         {data(arch, unix.SYS_READ, 3), allow},
		"an iterator":         {data(arch, unix.SYS_BPF, unix.BPF_ITER_CREATE), refuse},
		"a namespace's owner": {data(arch, unix.SYS_IOCTL, 3, unix.NS_GET_USERNS), refuse},
	} {
		if got, err := run(c.in); err != nil || got != c.want {
			t.Errorf("%s: %#x (%v), want %#x", name, got, err, c.want)
		}
	}
	for _, number := range []uint32{
		unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_SENDMSG, unix.SYS_RECVMSG,
		unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_EXECVE, unix.SYS_EXECVEAT,
		unix.SYS_LINKAT, unix.SYS_PTRACE, unix.SYS_KILL, unix.SYS_SETNS, unix.SYS_PWRITE64,
	} {
		if got, err := run(data(arch, number, 0)); err != nil || got != refuse {
			t.Errorf("call %d: %#x (%v), want it refused", number, got, err)
		}
	}
}

// TestEveryRow: each row alone allows its call. A row whose jumps are wrong would make
// another allow or refuse it.
func TestEveryRow(t *testing.T) {
	for _, allowed := range []Calls{Serving(), Reading(), Resolving()} {
		checkRows(t, allowed)
	}
}

func checkRows(t *testing.T, allowed Calls) {
	t.Helper()
	_, run := assemble(t, allowed)
	seen := map[string]bool{}
	for _, c := range allowed {
		row := fmt.Sprintf("%+v", c)
		if seen[row] {
			t.Errorf("%s stands twice", row)
		}
		seen[row] = true
		var arguments [6]uint64
		for _, w := range c.when {
			arguments[w.argument] |= w.value & w.mask
		}
		if got, err := run(data(arch, c.number, arguments[:]...)); err != nil || got != unix.SECCOMP_RET_ALLOW {
			t.Errorf("%s: %#x (%v)", row, got, err)
		}
		for i, w := range c.when {
			wrong := arguments
			// The highest bit: with a lower one, prctl(2) is allowed by the row of another option.
			wrong[w.argument] ^= 1 << (bits.Len64(w.mask) - 1)
			if got, err := run(data(arch, c.number, wrong[:]...)); err != nil || got == unix.SECCOMP_RET_ALLOW {
				t.Errorf("%s is allowed with condition %d broken: %#x (%v)", row, i, got, err)
			}
		}
	}
}
