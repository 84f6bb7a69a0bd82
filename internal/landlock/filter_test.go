// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
)

const (
	load      = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	jumpEqual = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	ret       = unix.BPF_RET | unix.BPF_K
)

// Offsets in struct seccomp_data: of the system call's number, and, on a little-endian
// machine, of the lower half of the size that landlock_create_ruleset(2) is given.
const (
	offsetNumber = 0
	offsetSize   = 24
)

// answer makes every landlock_create_ruleset(2) of the calling thread fail.
func answer(errno unix.Errno) error {
	return install([]unix.SockFilter{
		{Code: load, K: offsetNumber},
		{Code: jumpEqual, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	})
}

// answerSize makes those fail that give a structure of a size.
func answerSize(size uintptr, errno unix.Errno) error {
	return install([]unix.SockFilter{
		{Code: load, K: offsetNumber},
		{Code: jumpEqual, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 3},
		{Code: load, K: offsetSize},
		{Code: jumpEqual, K: uint32(size), Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	})
}

func install(filter []unix.SockFilter) error {
	if err := NoNewPrivs(); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER,
		uintptr(unsafe.Pointer(&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})), 0, 0)
}

// watch has every landlock_create_ruleset(2) of the calling thread that names
// rights decided by a function: 0 lets it through. The function runs in another
// thread, until the returned function is called.
func watch(decide func(access.Rights) unix.Errno) (stop func() error, err error) {
	const retUserNotif, setModeFilter, newListener = 0x7fc00000, 1, 1 << 3
	filter := []unix.SockFilter{
		{Code: load, K: offsetNumber},
		{Code: jumpEqual, K: unix.SYS_LANDLOCK_CREATE_RULESET, Jf: 1},
		{Code: ret, K: retUserNotif},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := NoNewPrivs(); err != nil {
		return nil, err
	}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, newListener,
		uintptr(unsafe.Pointer(&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})))
	if errno != 0 {
		return nil, errno
	}
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, err
	}
	quit, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- decideAll(int(fd), memory, decide, quit) }()
	return func() error {
		close(quit)
		return errors.Join(<-done, memory.Close(), unix.Close(int(fd)))
	}, nil
}

// notification is struct seccomp_notif, response struct seccomp_notif_resp.
type notification struct {
	id         uint64
	pid, flags uint32
	nr         int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

type response struct {
	id    uint64
	val   int64
	error int32
	flags uint32
}

func decideAll(fd int, memory *os.File, decide func(access.Rights) unix.Errno, quit chan struct{}) error {
	const recv, send, flagContinue = 0xc0502100, 0xc0182101, 1
	for {
		select {
		case <-quit:
			return nil
		default:
		}
		const tick = 10 // milliseconds
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, tick); err != nil || n == 0 {
			continue
		}
		var n notification
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), recv, uintptr(unsafe.Pointer(&n))); errno != 0 {
			return errno
		}
		r := response{id: n.id, flags: flagContinue}
		if n.args[0] != 0 {
			var attr [access.NumClasses * 8]byte
			if _, err := memory.ReadAt(attr[:n.args[1]], int64(n.args[0])); err != nil {
				return err
			}
			var rights access.Rights
			for c := range rights {
				rights[c] = uint32(binary.NativeEndian.Uint64(attr[c*8:]))
			}
			if errno := decide(rights); errno != 0 {
				r = response{id: n.id, error: -int32(errno)}
			}
		}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), send, uintptr(unsafe.Pointer(&r))); errno != 0 {
			return errno
		}
	}
}

// TestRightsFiltered: what a filter answers leaves rights unknown, and only the
// kernel's own no is no.
func TestRightsFiltered(t *testing.T) {
	_, all := supportedHere(t)
	if all[access.Scope] == 0 {
		t.Fatalf("this test needs scopes (Linux 6.12); this kernel has %v", access.Names(all))
	}
	scopes := access.Scope.Rights(^uint32(0))
	for _, c := range []struct {
		name  string
		errno unix.Errno
		want  access.Bounds
	}{
		{"a filter forbids", unix.EPERM, access.Bounds{Sure: all.Without(scopes), May: all.Union(scopes)}},
		{"a module forbids", unix.EACCES, access.Bounds{Sure: all.Without(scopes), May: all.Union(scopes)}},
		{"a filter that does not know the call", unix.ENOSYS, access.Bounds{Sure: all.Without(scopes), May: all.Union(scopes)}},
		{"no descriptor left", unix.EMFILE, access.Bounds{Sure: all.Without(scopes), May: all.Union(scopes)}},
		{"an older structure", unix.E2BIG, access.Exactly(all.Without(scopes))},
		{"no such bits", unix.EINVAL, access.Exactly(all.Without(scopes))},
	} {
		t.Run(c.name, func(t *testing.T) {
			onThread(func() {
				if err := answerSize(24, c.errno); err != nil {
					t.Error(err)
					return
				}
				if got := Rights(); got != c.want {
					t.Errorf("sure %v, unknown %v", access.Names(got.Sure), access.Names(got.Unknown()))
				}
			})
		})
	}
	t.Run("all forbidden", func(t *testing.T) {
		onThread(func() {
			if err := answer(unix.EPERM); err != nil {
				t.Error(err)
				return
			}
			if got := Rights(); got != access.Anything() {
				t.Errorf("%+v", got)
			}
			if fixed, known := Errata(); known {
				t.Errorf("errata %#x are known", fixed)
			}
		})
	})
}

// TestRightsOneByOne: a kernel that promises an ABI and refuses single rights of it
// has all others, wherever they stand.
func TestRightsOneByOne(t *testing.T) {
	_, all := supportedHere(t)
	for _, c := range []struct {
		name             string
		refused, guarded access.Rights
	}{
		{"a scope", access.Rights{access.Scope: 1}, access.Rights{}},
		{"the last of each class", access.Rights{access.FS: 1 << 15, access.Net: 2, access.Scope: 2}, access.Rights{}},
		{"the first of each class", access.Rights{access.FS: 1, access.Net: 1, access.Scope: 1}, access.Rights{}},
		{"some in the middle", access.Rights{access.FS: 0b1110_0000_0000}, access.Rights{}},
		{"one that a filter guards", access.Rights{access.FS: 4}, access.Rights{access.FS: 8}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := access.Exactly(all.Without(c.refused))
			want.Sure = want.Sure.Without(c.guarded)
			onThread(func() {
				stop, err := watch(func(r access.Rights) unix.Errno {
					switch {
					case !r.Intersect(c.refused).Empty():
						return unix.EINVAL
					case !r.Intersect(c.guarded).Empty():
						return unix.EPERM
					default:
						return 0
					}
				})
				if err != nil {
					t.Error(err)
					return
				}
				got := Rights()
				abi, err := ABI()
				if err := errors.Join(err, stop()); err != nil || abi < 6 {
					t.Errorf("ABI %d, %v", abi, err)
				}
				if got != want {
					t.Errorf("sure %v, unknown %v; want %v, %v", access.Names(got.Sure), access.Names(got.Unknown()),
						access.Names(want.Sure), access.Names(want.Unknown()))
				}
			})
		})
	}
}

// TestErrata: a kernel that does not report its fixes may have some.
func TestErrata(t *testing.T) {
	supportedHere(t)
	onThread(func() {
		if err := answer(unix.EINVAL); err != nil {
			t.Error(err)
			return
		}
		if fixed, known := Errata(); known || fixed != 0 {
			t.Errorf("%#x, %t", fixed, known)
		}
	})
}
