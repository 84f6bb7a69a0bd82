// SPDX-License-Identifier: Apache-2.0

package rulesets

import (
	"encoding/binary"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
)

// family is IPv4 or IPv6, or IPv4 by a socket of IPv6, to loopback.
type family struct {
	name    string
	domain  int
	address func(port uint16) unix.Sockaddr
}

func families() []family {
	v4 := [4]byte{127, 0, 0, 1}
	six := func(addr [16]byte) func(uint16) unix.Sockaddr {
		return func(port uint16) unix.Sockaddr { return &unix.SockaddrInet6{Port: int(port), Addr: addr} }
	}
	return []family{
		{"IPv4", unix.AF_INET, func(port uint16) unix.Sockaddr {
			return &unix.SockaddrInet4{Port: int(port), Addr: v4}
		}},
		{"IPv6", unix.AF_INET6, six([16]byte{15: 1})},
		{"IPv4 in IPv6", unix.AF_INET6, six([16]byte{10: 255, 11: 255, 12: 127, 15: 1})},
	}
}

// stream does something with a socket, whose port is free as soon as it is closed.
func stream(domain, protocol int, do func(fd int) error) error {
	fd, err := unix.Socket(domain, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	return do(fd)
}

// way returns one past a right.
func way(right access.Right, name string) access.Ways {
	w, ok := access.LookupWay(right, name)
	if !ok {
		panic("no way " + name)
	}
	return w.Ways()
}

// tryNetwork tries to connect and to bind.
func (t *tries) tryNetwork() {
	for _, f := range families() {
		at := f.address(t.outside.port)
		t.tryPort("connect, "+f.name, "", t.outside.port, func(fd int) error {
			return unix.Connect(fd, at)
		}, f.domain)
		t.tryPort("connect and Fast Open, "+f.name, "", t.outside.port, func(fd int) error {
			_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1)
			return unix.Connect(fd, at)
		}, f.domain)
		const fast = unix.MSG_FASTOPEN | unix.MSG_NOSIGNAL
		t.tryPort("sendto and Fast Open, "+f.name, "tcp_fast_open", t.outside.port, func(fd int) error {
			return unix.Sendto(fd, []byte{0}, fast, at)
		}, f.domain)
		t.tryPort("sendmsg and Fast Open, "+f.name, "tcp_fast_open", t.outside.port, func(fd int) error {
			_, err := unix.SendmsgN(fd, []byte{0}, nil, at, fast)
			return err
		}, f.domain)
		for _, port := range []uint16{lowPort, highPort, 0} {
			t.tryPort("bind, "+f.name, "", port, func(fd int) error {
				return unix.Bind(fd, f.address(port))
			}, f.domain)
		}
		t.tryPort("listen, "+f.name, "listen", 0, func(fd int) error {
			return unix.Listen(fd, 1)
		}, f.domain)
	}
	v4 := families()[0].address
	t.tryPort("connect, io_uring", "", t.outside.port, func(fd int) error {
		return t.ring.socket(ringConnect, fd, inet(t.outside.port))
	}, unix.AF_INET)
	t.tryPort("bind, io_uring", "", highPort, func(fd int) error {
		return t.ring.socket(ringBind, fd, inet(highPort))
	}, unix.AF_INET)
	for _, kind := range []struct {
		name             string
		domain, protocol int
	}{
		{"mptcp", unix.AF_INET, unix.IPPROTO_MPTCP}, {"mptcp", unix.AF_INET6, unix.IPPROTO_MPTCP},
		{"smc", unix.AF_SMC, 0}, {"smc", unix.AF_INET, 256}, // IPPROTO_SMC
	} {
		if kind.name == "smc" && !hasSMC() {
			continue
		}
		address := v4
		if kind.domain == unix.AF_INET6 {
			address = families()[1].address
		}
		t.tryPort("connect, "+kind.name, kind.name, t.outside.port, func(fd int) error {
			return unix.Connect(fd, address(t.outside.port))
		}, kind.domain, kind.protocol)
		for _, port := range []uint16{lowPort, highPort, 0} {
			t.tryPort("bind, "+kind.name, kind.name, port, func(fd int) error {
				return unix.Bind(fd, address(port))
			}, kind.domain, kind.protocol)
		}
	}
}

// hasSMC reports whether the kernel has it, without having it load it.
func hasSMC() bool {
	protocols, err := os.ReadFile("/proc/net/protocols")
	return err == nil && strings.Contains(string(protocols), "\nSMC ")
}

// tryPort does something with a socket about a port, or about one that the kernel picks.
func (t *tries) tryPort(call, past string, port uint16, do func(fd int) error, kind ...int) {
	right := named("net.connect_tcp")
	if port != t.outside.port {
		right = named("net.bind_tcp")
	}
	h := hit{call: call, right: right, object: -1, port: port}
	if past != "" {
		h.way = way(right, past)
	}
	protocol := 0
	if len(kind) > 1 {
		protocol = kind[1]
	}
	err := stream(kind[0], protocol, func(fd int) error {
		if err := do(fd); err != nil || port != 0 {
			return err
		}
		h.call += ", any port"
		name, err := unix.Getsockname(fd)
		switch name := name.(type) {
		case *unix.SockaddrInet4:
			h.port = uint16(name.Port)
		case *unix.SockaddrInet6:
			h.port = uint16(name.Port)
		}
		return err
	})
	t.note(h, err)
}

// inet is an address of IPv4 loopback as the kernel has it.
func inet(port uint16) string {
	b := binary.NativeEndian.AppendUint16(nil, unix.AF_INET)
	b = binary.BigEndian.AppendUint16(b, port)
	return string(append(b, 127, 0, 0, 1)) + strings.Repeat("\x00", 8)
}

// trySockets tries to connect and to send to Unix sockets.
func (t *tries) trySockets(streamName, datagramName, right string, stream, datagrams int) {
	kind := "abstract"
	if right == "fs.resolve_unix" {
		kind = "a path"
	}
	try := func(call, name string, object, typ int, do func(fd int, at unix.Sockaddr) error) {
		t.had(call+", "+kind, object, withUnix(typ, func(fd int) error {
			return do(fd, &unix.SockaddrUnix{Name: name})
		}), right)
	}
	try("connect a stream", streamName, stream, unix.SOCK_STREAM, unix.Connect)
	try("connect for datagrams", datagramName, datagrams, unix.SOCK_DGRAM, unix.Connect)
	try("sendto", datagramName, datagrams, unix.SOCK_DGRAM, func(fd int, at unix.Sockaddr) error {
		return unix.Sendto(fd, []byte{0}, 0, at)
	})
	try("sendmsg", datagramName, datagrams, unix.SOCK_DGRAM, func(fd int, at unix.Sockaddr) error {
		_, err := unix.SendmsgN(fd, []byte{0}, nil, at, 0)
		return err
	})
	try("io_uring connect", streamName, stream, unix.SOCK_STREAM, func(fd int, _ unix.Sockaddr) error {
		name := strings.Replace(streamName, "@", "\x00", 1)
		if name == streamName {
			name += "\x00"
		}
		family := string(binary.NativeEndian.AppendUint16(nil, unix.AF_UNIX))
		return t.ring.socket(ringConnect, fd, family+name)
	})
}

func withUnix(typ int, do func(fd int) error) error {
	fd, err := unix.Socket(unix.AF_UNIX, typ|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return do(fd)
}

// tryOwn makes a Unix socket inside of the domain, if that is allowed: nobody is kept from it.
func (t *tries) tryOwn(name string) {
	at := &unix.SockaddrUnix{Name: name}
	err := withUnix(unix.SOCK_STREAM, func(fd int) error {
		if err := unix.Bind(fd, at); err != nil {
			return err
		}
		t.must(unix.Listen(fd, 1), "listen at "+name)
		err := withUnix(unix.SOCK_STREAM, func(fd int) error { return unix.Connect(fd, at) })
		t.must(err, "connect to "+name)
		return nil
	})
	if !strings.HasPrefix(name, "@") {
		t.had("bind a path", t.object(name[:strings.LastIndexByte(name, '/')]), err, "fs.make_sock")
	}
}

// trySignals tries to signal a process that is in no domain. No signal comes of it.
func (t *tries) trySignals() {
	const kthreadd = 2
	pid := os.Getppid()
	if pid < 1 {
		pid = kthreadd // this is a guest's first process
	}
	had := func(call string, err error) { t.had(call, -1, err, "scope.signal") }
	had("kill", unix.Kill(pid, 0))
	had("tgkill", unix.Tgkill(pid, pid, 0))
	_, _, errno := unix.Syscall(unix.SYS_TKILL, uintptr(pid), 0, 0)
	had("tkill", orNil(errno))
	var info [128]byte                               // siginfo_t
	binary.NativeEndian.PutUint32(info[8:], 1<<32-1) // SI_QUEUE
	at := uintptr(unsafe.Pointer(&info))
	_, _, errno = unix.Syscall(unix.SYS_RT_SIGQUEUEINFO, uintptr(pid), 0, at)
	had("rt_sigqueueinfo", orNil(errno))
	_, _, errno = unix.Syscall6(unix.SYS_RT_TGSIGQUEUEINFO, uintptr(pid), uintptr(pid), 0, at, 0, 0)
	had("rt_tgsigqueueinfo", orNil(errno))
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		err = unix.PidfdSendSignal(fd, 0, nil, 0)
		unix.Close(fd)
	}
	had("pidfd_send_signal", err)
}

func orNil(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}
