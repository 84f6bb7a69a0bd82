// SPDX-License-Identifier: Apache-2.0

package seccomp

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inside makes the test binary a process that restricts itself: that is for ever.
const inside = "SECCOMP_TEST_INSIDE"

// report is what a restricted process found out.
type report struct {
	Threads []string          // of each, the lines of its status about seccomp
	Errors  map[string]string // of calls, the names of their errors; empty if they succeed
}

func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		os.Exit(m.Run())
	}
	r, err := restricted(os.Args[len(os.Args)-1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// threads starts some that stay.
func threads() {
	var ready sync.WaitGroup
	for range 6 {
		ready.Add(1)
		go func() {
			runtime.LockOSThread()
			ready.Done()
			select {}
		}()
	}
	ready.Wait()
}

// restricted restricts this process, which has threads and listens, and tries what an
// attacker in it would; victim is the PID of another process of the same user.
func restricted(victim string) (report, error) {
	var pid int
	if _, err := fmt.Sscan(victim, &pid); err != nil {
		return report{}, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return report{}, err
	}
	threads()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return report{}, err
	}
	if err := Install(Serving()); err != nil {
		return report{}, err
	}
	threads()
	r := report{Errors: map[string]string{}}
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		return report{}, err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return report{}, err
		}
		var lines []string
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "Seccomp:") || strings.HasPrefix(line, "NoNewPrivs:") {
				lines = append(lines, strings.Join(strings.Fields(line), " "))
			}
		}
		r.Threads = append(r.Threads, strings.Join(lines, ", "))
	}
	limit := unix.Rlimit{Cur: 1, Max: 1}
	buffer := make([]byte, 128)
	at := uintptr(unsafe.Pointer(&buffer[0]))
	call := func(number uintptr, a ...uintptr) error {
		var six [6]uintptr
		copy(six[:], a)
		if _, _, errno := unix.RawSyscall6(number, six[0], six[1], six[2], six[3], six[4], six[5]); errno != 0 {
			return errno
		}
		return nil
	}
	for name, try := range map[string]func() error{
		"prlimit(2) of another": func() error { return unix.Prlimit(pid, unix.RLIMIT_CPU, &limit, nil) },
		"kill(2)":               func() error { return unix.Kill(pid, unix.SIGKILL) },
		"tgkill(2)":             func() error { return unix.Tgkill(pid, pid, unix.SIGKILL) },
		"ptrace(2)":             func() error { return unix.PtraceAttach(pid) },
		"process_vm_readv(2)":   func() error { return call(unix.SYS_PROCESS_VM_READV, uintptr(pid), at, 1, at, 1, 0) },
		"execve(2)":             func() error { return unix.Exec("/bin/true", []string{"true"}, nil) },
		"a child":               func() error { return exec.Command("/bin/true").Run() },
		"bpf(2), a map":         func() error { return call(unix.SYS_BPF, unix.BPF_MAP_CREATE, at, 72) },
		"io_uring_setup(2)":     func() error { return call(unix.SYS_IO_URING_SETUP, 4, at) },
		"keyctl(2)":             func() error { _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false); return err },
		"socket(2)":             func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); return err },
		"unshare(2)":            func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"userfaultfd(2)":        func() error { return call(unix.SYS_USERFAULTFD, 0) },
		"perf_event_open(2)":    func() error { return call(unix.SYS_PERF_EVENT_OPEN, at, 0, 0, 0, 0) },
		"memfd_create(2)":       func() error { _, err := unix.MemfdCreate("x", 0); return err },
		"mmap(2), code": func() error {
			_, err := unix.Mmap(-1, 0, 4096, unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
			return err
		},
		"seccomp(2)": func() error { return call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_STRICT, 0, 0) },
		"clone3(2)":  func() error { return call(unix.SYS_CLONE3, at, 64) },
		"TIOCSTI":    func() error { return call(unix.SYS_IOCTL, 0, unix.TIOCSTI, at) },
	} {
		r.Errors[name] = ""
		if err := try(); err != nil {
			r.Errors[name] = err.Error()
		}
	}
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "served") }))
	}()
	fmt.Fprintln(os.Stderr, l.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return r, nil
}

// TestInstall restricts a real process: what it may not do fails, and it serves.
func TestInstall(t *testing.T) {
	victim := exec.CommandContext(t.Context(), "sleep", "60")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = victim.Process.Kill(); _ = victim.Wait() }()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", fmt.Sprint(victim.Process.Pid))
	cmd.Env = append(os.Environ(), inside+"=1")
	stdin, err1 := cmd.StdinPipe()
	stderr, err2 := cmd.StderrPipe()
	stdout, err3 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var address string
	if _, err := fmt.Fscan(stderr, &address); err != nil {
		t.Fatal(err)
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		rest, _ := io.ReadAll(stderr)
		t.Fatalf("%s%s", address, rest)
	}
	client := http.Client{Timeout: 20 * time.Second}
	response, err := client.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || string(body) != "served" {
		t.Errorf("it serves %q (%v)", body, err)
	}
	stdin.Close()
	var r report
	if err := json.NewDecoder(stdout).Decode(&r); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if len(r.Threads) < 12 {
		t.Errorf("%d threads", len(r.Threads))
	}
	for _, lines := range r.Threads {
		if lines != "NoNewPrivs: 1, Seccomp: 2" {
			t.Errorf("a thread has %q", lines)
		}
	}
	if len(r.Errors) < 19 {
		t.Errorf("%d calls were tried", len(r.Errors))
	}
	for name, text := range r.Errors {
		want := unix.EPERM.Error()
		if name == "clone3(2)" {
			want = unix.ENOSYS.Error()
		}
		if !strings.HasSuffix(text, want) {
			t.Errorf("%s: %q, want %q", name, text, want)
		}
	}
}
