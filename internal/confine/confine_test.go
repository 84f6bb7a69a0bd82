// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/testenv"
)

// stageEnv makes the test binary a first stage (which executes itself again as
// the second) or a second one: what is tested changes a process for ever.
const stageEnv = "CONFINE_TEST_STAGE"

// order is what a first stage is given, as JSON in its only argument.
type order struct {
	Goal
	ReadBelow []string
	ListBelow []string
	// Late is a directory that the second stage lists once it is there.
	Late  string
	Files int       // regular files that it opens and hands on
	Given []int     // their descriptors, for the second stage
	Leave bool      // the second stage does not take them over
	Known []Failure // for Inspect
	// Try is what the second stage tries to read.
	Try  []string
	Dial string
	// Heirloom is a key's name: with one the first stage has, and the second looks for,
	// what is inherited beside descriptors.
	Heirloom string
}

// report is what a second stage found out.
type report struct {
	Failures     []Failure
	Confined     map[string]bool
	Threads      int
	ThreadStatus []map[string]string // of /proc/self/task/*/status
	UID, GID     []int
	Groups       []int
	Open         map[int]string // descriptors and what they are
	Given        []int          // descriptors that were handed on
	Files        []string       // contents of those that were handed on
	Read         map[string]string
	Late         []string // names in the directory that came late
	Root, Dial   string   // error text, empty if it succeeded
	Create, Fork string
	Inherited    inherited
	Args         []string
	Env          []string
}

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(stageEnv) {
	case "":
		os.Exit(m.Run())
	case "first":
		err = firstStage(os.Args[len(os.Args)-1])
	case "second":
		err = secondStage(os.Args[len(os.Args)-1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func firstStage(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	// Threads that are there before: none of them may stay free.
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			runtime.LockOSThread()
			wg.Done()
			select {}
		}()
	}
	wg.Wait()
	var files []*os.File
	for i := range o.Files {
		f, err := os.CreateTemp("", "confine")
		if err != nil {
			return err
		}
		os.Remove(f.Name())
		fmt.Fprintf(f, "file %d", i)
		files = append(files, f)
	}
	slices.Reverse(files)
	for _, f := range files {
		o.Given = append(o.Given, int(f.Fd()))
	}
	given, err := json.Marshal(o)
	if err != nil {
		return err
	}
	// What must not pass: inherited without close-on-exec, low and high.
	secret, err := os.Open("/etc/passwd")
	if err != nil {
		return err
	}
	for _, fd := range []int{20, 200} {
		if err := unix.Dup3(int(secret.Fd()), fd, 0); err != nil {
			return err
		}
	}
	if o.Heirloom != "" {
		if err := bequeath(o.Heirloom); err != nil {
			return err
		}
	}
	p := Plan{
		Goal: o.Goal, ReadBelow: o.ReadBelow, ListBelow: o.ListBelow,
		Files: files,
		Args:  []string{"second stage", "", "odd\xff arg", string(given)}, Env: []string{stageEnv + "=second", "ONLY=this"},
	}
	return p.Exec()
}

func secondStage(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	keyring := InspectKeyring()
	r := report{Given: o.Given, Read: map[string]string{}, Open: map[int]string{}, Args: os.Args, Env: os.Environ()}
	// More threads: they must be confined like the first.
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			runtime.LockOSThread()
			wg.Done()
			select {}
		}()
	}
	wg.Wait()
	for _, fd := range o.Given {
		if !o.Leave {
			unix.CloseOnExec(fd)
		}
	}
	status, err := Inspect(o.Goal, append(o.Known, keyring)...)
	if err != nil {
		return err
	}
	r.Failures, r.Confined = status.Failures(), status.Mechanisms()
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		return err
	}
	r.Threads = len(tasks)
	for _, f := range tasks {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		fields := map[string]string{}
		for line := range strings.Lines(string(b)) {
			k, v, _ := strings.Cut(strings.TrimSpace(line), ":")
			fields[k] = strings.TrimSpace(v)
		}
		r.ThreadStatus = append(r.ThreadStatus, fields)
	}
	ruid, euid, suid := unix.Getresuid()
	rgid, egid, sgid := unix.Getresgid()
	r.UID, r.GID = []int{ruid, euid, suid}, []int{rgid, egid, sgid}
	r.Groups, _ = os.Getgroups()
	for _, fd := range o.Given {
		b, err := io.ReadAll(io.NewSectionReader(os.NewFile(uintptr(fd), "inherited"), 0, 100))
		if err != nil {
			return err
		}
		r.Files = append(r.Files, string(b))
	}
	for fd := range 1024 {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil {
			flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
			r.Open[fd] = fmt.Sprintf("type %#o, close-on-exec %v", st.Mode&unix.S_IFMT, flags&unix.FD_CLOEXEC != 0)
		}
	}
	for _, path := range o.Try {
		b, err := os.ReadFile(path)
		r.Read[path] = string(b)
		if err != nil {
			r.Read[path] = "error: " + errorName(err)
		}
	}
	if r.Late, err = listLate(o.Late); err != nil {
		return err
	}
	if o.Heirloom != "" {
		r.Inherited = inherit(o.Heirloom)
	}
	_, err = os.ReadDir("/")
	r.Root = errorName(err)
	_, err = net.DialTimeout("tcp", o.Dial, 5*time.Second)
	r.Dial = errorName(err)
	_, err = os.OpenFile(filepath.Join(os.TempDir(), "confine-created"), os.O_CREATE|os.O_WRONLY, 0o600)
	r.Create = errorName(err)
	r.Fork = errorName(exec.Command("/bin/true").Run())
	return json.NewEncoder(os.Stdout).Encode(r)
}

// listLate reports that it waits for a directory, and returns the names in it once it
// is there.
func listLate(dir string) (names []string, err error) {
	if dir == "" {
		return nil, nil
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is there already: %w", dir, err)
	}
	fmt.Fprintln(os.Stderr, waits)
	deadline := time.Now().Add(30 * time.Second)
	for ; time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names, err
	}
	return nil, errors.New("it never came")
}

const waits = "waiting for a directory"

// onWrite is called at the first write.
type onWrite struct {
	once sync.Once
	do   func()
}

func (w *onWrite) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(waits)) {
		w.once.Do(w.do)
	}
	return len(b), nil
}

func errorName(err error) string {
	var errno unix.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	default:
		return err.Error()
	}
}

// runStages has a copy of the test binary in dir confine itself.
func runStages(t *testing.T, dir string, o order) report {
	t.Helper()
	return runStagesAs(t, dir, 0o755, nil, o)
}

// runStagesAs has it do so as another user, with a mode of its file.
func runStagesAs(t *testing.T, dir string, mode os.FileMode, as *syscall.Credential, o order) report {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "program")
	if err := os.WriteFile(binary, self, mode); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, string(text))
	cmd.Env = []string{stageEnv + "=first", "SECRET=1", "TMPDIR=" + os.TempDir()}
	if as != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, io.MultiWriter(&stderr, &onWrite{do: func() {
		// With what is in it, at once.
		made := o.Late + ".new"
		err := errors.Join(os.MkdirAll(made+"/below", 0o755), os.Rename(made, o.Late))
		if err != nil {
			t.Error(err)
		}
	}})
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return r
}

func TestExec(t *testing.T) {
	testenv.NeedRoot(t)
	abi, err := landlock.ABI()
	if err != nil {
		t.Fatalf("this test needs Landlock: %v", err)
	}
	base := t.TempDir()
	for p := base; p != "/"; p = filepath.Dir(p) {
		// The second stage's user must be able to come this far: only then
		// it is the domain that keeps it from reading.
		if st, err := os.Stat(p); err == nil && st.Mode().Perm()&0o005 != 0o005 && strings.HasPrefix(p, os.TempDir()) {
			if err := os.Chmod(p, st.Mode().Perm()|0o055); err != nil {
				t.Fatal(err)
			}
		}
	}
	write := func(path string) string {
		path = filepath.Join(base, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("text of "+filepath.Base(path)), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	allowed, below, single, beside, other := write("conf/a"), write("conf/sub/b"), write("one/c"), write("one/d"), write("secret")
	// The binary where the new user cannot search: it is executed all the same.
	closed := filepath.Join(base, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()

	o := order{
		Goal: Goal{UID: 65534, GID: 65533, Bounding: true}, Files: 3, Dial: listener.Addr().String(),
		ReadBelow: []string{filepath.Join(base, "conf"), single, filepath.Join(base, "absent")},
		Try: []string{
			allowed, below, single, beside, other, "/etc/passwd", "/proc/self/status", "/proc/version",
			"/proc/" + strconv.Itoa(os.Getpid()) + "/status", "/proc/self/exe",
		},
	}
	r := runStages(t, closed, o)

	checkFailures(t, r, noFilter)
	if r.Threads < 4 || len(r.ThreadStatus) != r.Threads {
		t.Errorf("%d threads", r.Threads)
	}
	for _, s := range r.ThreadStatus {
		for key, want := range map[string]string{
			"CapInh": "0000000000000000", "CapPrm": "0000000000000000", "CapEff": "0000000000000000", "CapAmb": "0000000000000000",
			"CapBnd": "0000000000000000", "NoNewPrivs": "1", "Uid": "65534\t65534\t65534\t65534", "Gid": "65533\t65533\t65533\t65533", "Groups": "",
		} {
			if s[key] != want {
				t.Errorf("thread %s: %s is %q, want %q", s["Pid"], key, s[key], want)
			}
		}
	}
	if !slices.Equal(r.UID, []int{65534, 65534, 65534}) || !slices.Equal(r.GID, []int{65533, 65533, 65533}) || len(r.Groups) != 0 {
		t.Errorf("user %v, group %v, groups %v", r.UID, r.GID, r.Groups)
	}
	if want := []string{"file 2", "file 1", "file 0"}; !slices.Equal(r.Files, want) {
		t.Errorf("files %q, want %q", r.Files, want)
	}
	for fd, what := range r.Open {
		// Beyond those, the runtime has its own (epoll), close-on-exec.
		if fd > 2 && !slices.Contains(r.Given, fd) && (fd == 20 || fd == 200 || strings.HasPrefix(what, "type 0100000") || strings.HasSuffix(what, "false")) {
			t.Errorf("descriptor %d passed: %s", fd, what)
		}
	}
	for path, want := range map[string]string{
		allowed: "text of a", below: "text of b", single: "text of c",
		beside: "error: EACCES", other: "error: EACCES", "/etc/passwd": "error: EACCES", "/proc/version": "error: EACCES",
		"/proc/" + strconv.Itoa(os.Getpid()) + "/status": "error: EACCES",
	} {
		if r.Read[path] != want {
			t.Errorf("%s: %q, want %q", path, r.Read[path], want)
		}
	}
	if !strings.HasPrefix(r.Read["/proc/self/status"], "Name:") {
		t.Errorf("its own status: %q", r.Read["/proc/self/status"])
	}
	if r.Root != "EACCES" {
		t.Errorf("list /: %q", r.Root)
	}
	if r.Create != "EACCES" {
		t.Errorf("create a file: %q", r.Create)
	}
	if r.Fork == "" {
		t.Error("it executed another program")
	}
	if abi >= 4 && r.Dial != "EACCES" {
		t.Errorf("connect to a TCP port: %q", r.Dial)
	}
	if want := []string{"second stage", "", "odd\xff arg"}; len(r.Args) != 4 || !slices.Equal(r.Args[:2], want[:2]) {
		t.Errorf("arguments %q", r.Args)
	}
	slices.Sort(r.Env)
	if want := []string{stageEnv + "=second", "ONLY=this"}; !slices.Equal(r.Env, want) {
		t.Errorf("environment %q, want %q", r.Env, want)
	}
}

// TestExecKeep: a kernel before 5.19 needs one capability to go on; that one
// stays in all sets that matter, and no other.
func TestExecKeep(t *testing.T) {
	testenv.NeedRoot(t)
	dir := t.TempDir()
	r := runStages(t, dir, order{Goal: Goal{UID: 65534, GID: 65534, Keep: []int{unix.CAP_BPF}, Bounding: true}, Dial: "127.0.0.1:1"})
	checkFailures(t, r, noFilter)
	if r.Confined["capabilities"] {
		t.Error("it counts as confined, with a capability")
	}
	want := fmt.Sprintf("%016x", uint64(1)<<unix.CAP_BPF)
	for _, s := range r.ThreadStatus {
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd"} {
			if s[set] != want {
				t.Errorf("thread %s: %s is %s, want %s", s["Pid"], set, s[set], want)
			}
		}
	}
}

// TestExecKeepUser: the user may stay; capabilities go all the same.
func TestExecKeepUser(t *testing.T) {
	testenv.NeedRoot(t)
	r := runStages(t, t.TempDir(), order{Goal: Goal{UID: -1, GID: -1}, Dial: "127.0.0.1:1"})
	dumpable := Failure{Dumpable, ReadBack} // until the second stage changes that
	checkFailures(t, r, dumpable, Failure{Groups, Root}, noFilter, Failure{UserID, Root})
	for _, s := range r.ThreadStatus {
		if s["CapEff"] != "0000000000000000" || s["CapPrm"] != "0000000000000000" {
			t.Errorf("thread %s: effective %s, permitted %s", s["Pid"], s["CapEff"], s["CapPrm"])
		}
	}
}

// TestExecUnreadable: a service with a user of its own that may execute its
// program, but not read it.
func TestExecUnreadable(t *testing.T) {
	testenv.NeedRoot(t)
	dir, err := os.MkdirTemp("", "confine-public-") // that user must come this far
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r := runStagesAs(t, dir, 0o711, &syscall.Credential{Uid: 65533, Gid: 65533}, order{Goal: Goal{UID: -1, GID: -1}, Files: 1, Dial: "127.0.0.1:1"})
	checkFailures(t, r, noFilter)
	if want := []string{"file 0"}; !slices.Equal(r.Files, want) {
		t.Errorf("files %q, want %q", r.Files, want)
	}
}

// A directory that comes later than landlockd can be listed, and no file in the one
// above it can be read.
func TestExecListsLater(t *testing.T) {
	testenv.NeedRoot(t)
	dir, err := os.MkdirTemp("", "confine-public-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "log"), 0o755),
		os.WriteFile(filepath.Join(dir, "log/secret"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	late := filepath.Join(dir, "log/containers")
	r := runStages(t, dir, order{Goal: Goal{UID: 65534, GID: 65534},
		ListBelow: []string{late, "/no/such"}, Late: late, Try: []string{filepath.Join(dir, "log/secret")},
		Dial: "127.0.0.1:1"})
	if !slices.Equal(r.Late, []string{"below"}) || r.Root != "EACCES" {
		t.Errorf("%q is there; the root directory: %q", r.Late, r.Root)
	}
	for path, text := range r.Read {
		if text != "error: EACCES" {
			t.Errorf("%s: %q", path, text)
		}
	}
}

// noFilter: it is for the second stage to install.
var noFilter = Failure{Seccomp, ReadBack}

func checkFailures(t *testing.T, r report, want ...Failure) {
	t.Helper()
	if !slices.Equal(r.Failures, want) {
		t.Errorf("Inspect: %v, want %v", r.Failures, want)
	}
}

// A descriptor that was not taken over is found.
func TestInspectDescriptors(t *testing.T) {
	testenv.NeedRoot(t)
	o := order{Goal: Goal{UID: 65534, GID: 65534, Bounding: true}, Files: 1, Leave: true, Dial: "127.0.0.1:1"}
	checkFailures(t, runStages(t, t.TempDir(), o), Failure{Inherited, ReadBack}, noFilter)
}

// A call that failed counts where it is not seen that its purpose was reached nevertheless.
func TestInspectFailedCalls(t *testing.T) {
	testenv.NeedRoot(t)
	o := order{Goal: Goal{UID: 65534, GID: 65534, Bounding: true}, Dial: "127.0.0.1:1"}
	for m := range numMechanisms {
		o.Known = append(o.Known, Failure{m, Refused})
	}
	checkFailures(t, runStages(t, t.TempDir(), o), Failure{Dumpable, Refused}, Failure{Inherited, Refused},
		Failure{Keyring, Refused}, Failure{Landlock, Refused}, Failure{Seccomp, Refused})
}

// TestInspectUnconfined: a process that nothing confines is found to be so. What is known
// already has the more exact reason.
func TestInspectUnconfined(t *testing.T) {
	testenv.NeedRoot(t)
	o := order{
		Goal:  Goal{UID: 65534, GID: 65534, Bounding: true},
		Known: []Failure{{Landlock, TooManyLayers}, {Inherited, Refused}, {Seccomp, Holds}}, Dial: "127.0.0.1:1",
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", string(text))
	cmd.Env = []string{stageEnv + "=second", "TMPDIR=" + t.TempDir()}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	checkFailures(t, r, Failure{Capabilities, ReadBack}, Failure{Dumpable, ReadBack}, Failure{Groups, Root},
		Failure{Inherited, Refused}, Failure{Keyring, ReadBack}, Failure{Landlock, TooManyLayers},
		Failure{NoNewPrivs, ReadBack}, noFilter, Failure{UserID, Root})
	for mechanism, holds := range r.Confined {
		if holds {
			t.Errorf("%s holds", mechanism)
		}
	}
	if len(r.Confined) != int(numMechanisms) {
		t.Errorf("mechanisms %v", r.Confined)
	}
}
