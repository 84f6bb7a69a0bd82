// SPDX-License-Identifier: Apache-2.0

package landlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/netns"
)

// roleEnv makes this test's program do something else: see roles.
const roleEnv = "LANDLOCK_TEST_ROLE"

var roles = map[string]func(args []string) error{
	"go":     goPast,
	"probe":  probeIn,
	"filter": filterAndProbe,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := roles[role](os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, "/proc/self/exe", args...)
	c.Env = append(os.Environ(), roleEnv+"="+role)
	return c
}

// TestWays compares the probe with children that are sandboxed and go each way to
// the end: a byte arrives.
func TestWays(t *testing.T) {
	supportedHere(t)
	k, err := Probe("/sys")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"net.bind_tcp", "net.connect_tcp"} {
		right, _ := access.Lookup(name)
		if !right.In(k.Rights.Sure) {
			t.Fatalf("this test needs %s (Linux 6.7)", name)
		}
		if !goes(t, name, "plain", false) || goes(t, name, "plain", true) {
			t.Errorf("%s: the plain way: a domain does not make the difference", name)
		}
		for _, w := range access.AllWays() {
			if w.Right != right {
				continue
			}
			probed := k.Ways.Of(w, k.WaysUnknown)
			if w.Name == "smc" && probed == access.Unknown {
				continue // a child that tried would load the module, here as elsewhere
			}
			if went := goes(t, name, w.Name, true); probed == access.Unknown || went != (probed == access.Yes) {
				t.Errorf("%s: probed: %v; a child went it: %t", w, probed, went)
			} else {
				t.Logf("%s: probed: %v; a child went it: %t", w, probed, went)
			}
		}
	}
	for _, w := range access.AllWays() {
		if w.Erratum != 0 && w.Right.In(k.Rights.Sure) {
			fix := k.Errata>>(w.Erratum-1)&1 != 0
			if got := k.Ways.Of(w, k.WaysUnknown); got == access.Yes && fix || got == access.No && !(k.ErrataKnown && fix) {
				t.Errorf("%s: %v, errata %#x", w, got, k.Errata)
			}
		}
	}
}

// goes reports whether a child can do what a right is about in a way, inside a
// domain that handles TCP or outside. The other end is this process.
func goes(t *testing.T, right, way string, inside bool) bool {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	c := child(t, "go", right, way, fmt.Sprint(inside), listener.Addr().String())
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}()
	var said string
	if _, err := fmt.Fscan(out, &said); err != nil {
		t.Fatalf("%s by %s: %v", right, way, err)
	}
	if said == "refused" {
		return false
	}
	// It connected to us, or we connect to it.
	var conn net.Conn
	if right == "net.connect_tcp" {
		_ = listener.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute))
		conn, err = listener.Accept()
	} else {
		conn, err = net.DialTimeout("tcp4", said, time.Minute)
	}
	if err != nil {
		t.Fatalf("%s by %s: %v", right, way, err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 1)
	if _, err := io.ReadFull(conn, b); err != nil || b[0] != '!' {
		t.Fatalf("%s by %s: a byte %q came, %v", right, way, b, err)
	}
	return true
}

// goPast is the child: it prints "refused", or, once there is something to connect
// to, the address; and sends a byte.
func goPast(args []string) error {
	right, way, inside, address := args[0], args[1], args[2] == "true", args[3]
	listen, dial := new(net.ListenConfig), new(net.Dialer)
	listen.SetMultipathTCP(way == "mptcp")
	dial.SetMultipathTCP(way == "mptcp")
	if inside {
		// Every thread that comes is one of this one's, or made before.
		runtime.LockOSThread()
		fd, err := CreateRuleset(access.Rights{access.Net: 3})
		if err != nil {
			return err
		}
		if err := errors.Join(NoNewPrivs(), RestrictThread(fd)); err != nil {
			return err
		}
	}
	var conn io.WriteCloser
	var err error
	switch {
	case way == "smc":
		conn, err = goSMC(right == "net.connect_tcp", address)
	case way == "tcp_fast_open":
		conn, err = sendFirst(address)
	case right == "net.connect_tcp":
		conn, err = dial.Dial("tcp4", address)
	default:
		var l net.Listener
		if way == "listen" {
			l, err = listenFirst()
		} else {
			l, err = listen.Listen(context.Background(), "tcp4", "127.0.0.1:0")
		}
		if err == nil {
			fmt.Printf("127.0.0.1:%d\n", l.Addr().(*net.TCPAddr).Port)
			conn, err = l.Accept()
		}
	}
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EAFNOSUPPORT) {
		fmt.Println("refused")
		return nil
	}
	if err != nil {
		return err
	}
	if right == "net.connect_tcp" {
		fmt.Println("connected")
	}
	if way != "tcp_fast_open" { // which has sent it
		_, err = conn.Write([]byte("!"))
	}
	time.Sleep(100 * time.Millisecond)
	return errors.Join(err, conn.Close())
}

// goSMC connects, or waits for who connects, with a blocking socket of AF_SMC.
func goSMC(connect bool, address string) (io.WriteCloser, error) {
	fd, err := unix.Socket(unix.AF_SMC, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	if connect {
		a, err := net.ResolveTCPAddr("tcp4", address)
		if err != nil {
			return nil, err
		}
		to := &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}
		return os.NewFile(uintptr(fd), "socket"), unix.Connect(fd, to)
	}
	at := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	if err := errors.Join(unix.Bind(fd, at), unix.Listen(fd, 1)); err != nil {
		return nil, err
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	fmt.Printf("127.0.0.1:%d\n", bound.(*unix.SockaddrInet4).Port)
	accepted, _, err := unix.Accept(fd)
	return os.NewFile(uintptr(accepted), "socket"), err
}

// sendFirst connects with sendmsg(2), by a blocking socket.
func sendFirst(address string) (net.Conn, error) {
	a, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	to := &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(a.IP.To4())}
	if _, err := unix.SendmsgN(fd, []byte("!"), nil, to, unix.MSG_FASTOPEN); err != nil {
		return nil, err
	}
	return net.FileConn(os.NewFile(uintptr(fd), "socket"))
}

// listenFirst listens without bind(2).
func listenFirst() (net.Listener, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(unix.BindToDevice(fd, "lo"), unix.Listen(fd, 1)); err != nil {
		return nil, err
	}
	return net.FileListener(os.NewFile(uintptr(fd), "socket"))
}

// TestWaysUnknown: where this process cannot go a way, others may: it is unknown.
// Only what the kernel was built without is closed.
func TestWaysUnknown(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test makes network namespaces: it needs root")
	}
	names := func(ways access.Ways) string {
		list := []string{}
		for _, w := range ways.All() {
			if w.Erratum == 0 {
				list = append(list, w.String())
			}
		}
		return strings.Join(list, ", ")
	}
	const (
		bindMPTCP, bindListen    = "net.bind_tcp by mptcp", "net.bind_tcp by listen"
		connectMPTCP, connectTFO = "net.connect_tcp by mptcp", "net.connect_tcp by tcp_fast_open"
	)
	all := []string{bindMPTCP, bindListen, connectMPTCP, connectTFO}
	without := func(some ...string) string {
		var list []string
		for _, w := range all {
			if !strings.Contains(strings.Join(some, ", "), w) {
				list = append(list, w)
			}
		}
		return strings.Join(list, ", ")
	}
	here, err := Probe("/sys")
	if err != nil {
		t.Fatal(err)
	}
	if got := names(here.Ways); got != strings.Join(all, ", ") {
		t.Fatalf("this test needs a kernel where all is open, as it is on 6.18: %s", got)
	}
	for _, c := range []struct {
		name          string
		role          string
		args          []string
		open, unknown string
	}{
		{"loopback is down", "probe", nil, without(connectMPTCP, connectTFO), connectMPTCP + ", " + connectTFO},
		{"as usual", "probe", []string{"up"}, without(), ""},
		{"Fast Open is switched off", "probe", []string{"up", "net/ipv4/tcp_fastopen=0"}, without(connectTFO), connectTFO},
		{"MPTCP is switched off", "probe", []string{"up", "net/mptcp/enabled=0"}, without(bindMPTCP, connectMPTCP), bindMPTCP + ", " + connectMPTCP},
		{"a filter forbids MPTCP", "filter", []string{"EPERM"}, without(bindMPTCP, connectMPTCP), bindMPTCP + ", " + connectMPTCP},
		{"MPTCP is not built", "filter", []string{"EPROTONOSUPPORT"}, without(bindMPTCP, connectMPTCP), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := child(t, c.role, c.args...)
			cmd.Stderr = os.Stderr
			cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var k scan.Kernel
			if err := json.Unmarshal(out, &k); err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			if got := names(k.Ways); got != c.open {
				t.Errorf("open: %s; want %s", got, c.open)
			}
			if got := names(k.WaysUnknown); got != c.unknown {
				t.Errorf("unknown: %s; want %s", got, c.unknown)
			}
		})
	}
}

// probeIn is the child: it prepares its network namespace, and prints what it finds.
func probeIn(args []string) error {
	for _, a := range args {
		name, value, isSysctl := strings.Cut(a, "=")
		if isSysctl {
			if err := os.WriteFile("/proc/sys/"+name, []byte(value), 0); err != nil {
				return err
			}
			continue
		}
		if err := netns.LoopbackUp(); err != nil {
			return err
		}
	}
	k, err := Probe("/sys")
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(k)
}

// filterAndProbe puts all that comes under a filter that refuses MPTCP's sockets.
func filterAndProbe(args []string) error {
	runtime.LockOSThread()
	errno := map[string]unix.Errno{"EPERM": unix.EPERM, "EPROTONOSUPPORT": unix.EPROTONOSUPPORT}[args[0]]
	const offsetProtocol = 32 // args[2] of struct seccomp_data
	if err := install([]unix.SockFilter{
		{Code: load, K: offsetNumber},
		{Code: jumpEqual, K: unix.SYS_SOCKET, Jf: 3},
		{Code: load, K: offsetProtocol},
		{Code: jumpEqual, K: unix.IPPROTO_MPTCP, Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}); err != nil {
		return err
	}
	if err := os.Setenv(roleEnv, "probe"); err != nil {
		return err
	}
	return unix.Exec("/proc/self/exe", []string{"probe", "up"}, os.Environ())
}

// TestTrials: each way that no erratum is about is tried, and each right's plain way.
func TestTrials(t *testing.T) {
	tried := map[trialKey]bool{}
	for _, x := range trials() {
		if tried[x.key()] {
			t.Errorf("%+v is tried twice", x.key())
		}
		tried[x.key()] = true
	}
	want := map[trialKey]bool{}
	for _, w := range access.AllWays() {
		if w.Erratum == 0 {
			want[trialKey{w.Right.Name, w.Ways()}], want[trialKey{w.Right.Name, 0}] = true, true
		}
	}
	if !maps.Equal(tried, want) {
		t.Errorf("tried: %v, want %v", tried, want)
	}
}

// TestWaysTime: a connection that does not come is waited for no longer than all
// trials may take.
func TestWaysTime(t *testing.T) {
	const limit = 50 * time.Millisecond
	g, err := newGround(limit)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	// Nobody accepts: once the queue is full, the kernel lets them wait.
	if err := unix.Listen(g.listener, 0); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 100 {
		fd, err := socket(tcp)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		if err = g.connected(fd, unix.Connect(fd, g.address)); err != nil {
			if took := time.Since(began); !errors.Is(err, unix.ETIMEDOUT) || took < limit || took > 20*limit {
				t.Errorf("%v after %s, want ETIMEDOUT after %s", err, took, limit)
			}
			return
		}
	}
	t.Error("the queue is never full")
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name                   string
		control, plain, inside error
		want                   access.Answer
	}{
		{"open", nil, unix.EACCES, nil, access.Yes},
		{"closed", nil, unix.EACCES, unix.EACCES, access.No},
		{"not built", unix.EPROTONOSUPPORT, unix.EACCES, unix.EPROTONOSUPPORT, access.No},
		{"switched off", unix.EOPNOTSUPP, unix.EACCES, unix.EOPNOTSUPP, access.Unknown},
		{"forbidden to this process", unix.EACCES, unix.EACCES, unix.EACCES, access.Unknown},
		{"a domain that does nothing", nil, nil, nil, access.Unknown},
		{"no domain", nil, errNotTried, errNotTried, access.Unknown},
		{"too slow", nil, unix.EACCES, unix.ETIMEDOUT, access.Unknown},
	} {
		if got := judge(c.control, c.plain, c.inside); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestErrataWays: a way that an erratum's fix closes follows from what the kernel
// reports of its fixes, and a right that a kernel lacks has no ways past it.
func TestErrataWays(t *testing.T) {
	refer, _ := access.Lookup("fs.refer")
	w, ok := access.LookupWay(refer, "disconnected_directory")
	if !ok {
		t.Fatal("the table has no such way")
	}
	has := access.Exactly(refer.Rights())
	for _, c := range []struct {
		name   string
		kernel scan.Kernel
		want   access.Answer
	}{
		{"fixed", scan.Kernel{Rights: has, ErrataKnown: true, Errata: 0b100}, access.No},
		{"not fixed", scan.Kernel{Rights: has, ErrataKnown: true, Errata: 0b011}, access.Yes},
		{"not known", scan.Kernel{Rights: has}, access.Unknown},
		{"the right is not known", scan.Kernel{Rights: access.Bounds{May: refer.Rights()}, ErrataKnown: true}, access.Unknown},
		{"no such right", scan.Kernel{ErrataKnown: true}, access.No},
	} {
		open, unknown := ways(c.kernel)
		if got := open.Of(w, unknown); got != c.want || open&^w.Ways() != 0 || unknown&^w.Ways() != 0 {
			t.Errorf("%s: %v, want %v; open %v, unknown %v", c.name, got, c.want, open.All(), unknown.All())
		}
	}
}

// TestLoaded: a protocol that a kernel has not loaded is missing only if it cannot
// load it.
func TestLoaded(t *testing.T) {
	const head, other, smc = "protocol  size\n", "SMCX  1\nTCP  2304 1\n", "SMC       1216      0\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  access.Answer
	}{
		{"loaded", map[string]string{"net/protocols": head + other + smc, "modules": ""}, access.Yes},
		{"a module", map[string]string{"net/protocols": head + other, "modules": ""}, access.Unknown},
		{"modules are allowed", map[string]string{
			"net/protocols": head, "modules": "", "sys/kernel/modules_disabled": "0\n",
		}, access.Unknown},
		{"modules are not allowed", map[string]string{
			"net/protocols": head, "modules": "", "sys/kernel/modules_disabled": "1\n",
		}, access.No},
		{"no modules", map[string]string{"net/protocols": head + other}, access.No},
		{"no procfs", nil, access.Unknown},
	} {
		proc := t.TempDir()
		for name, text := range c.files {
			path := filepath.Join(proc, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if got := loaded(proc, smcName); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
