// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/runs/trace"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/scan"
)

// handoffChildEnv makes this test binary the one that unpacks.
const handoffChildEnv = "LANDLOCKD_TEST_HANDOFF"

// handoffChild unpacks what its parent packed and prints what it found.
func handoffChild(w io.Writer) int {
	o, err := unpack(os.Getenv(handoffChildEnv))
	if err != nil {
		fmt.Fprintln(w, "error:", err)
		return 1
	}
	for _, l := range o.listeners {
		fmt.Fprintln(w, "listener", l.Addr())
	}
	if o.api != nil {
		fmt.Fprintln(w, "api", o.api.Addr())
	}
	if o.notify != nil {
		_, err := o.notify.WriteString("hello")
		fmt.Fprintln(w, "notify", err)
	}
	if err := o.found.Failure; err != nil {
		fmt.Fprintf(w, "failure %s: %s\n", scan.FailureReason(err), err)
	}
	fmt.Fprintln(w, "keep", o.goal.Keep, "source", o.found.Iterator != nil)
	if o.found.Kernel != nil {
		fmt.Fprintf(w, "attribute %t, kernel %+v\n", o.found.Attribute, *o.found.Kernel)
	}
	return 0
}

// unpackElsewhere lets another process unpack a handoff, and inherit descriptors
// under the numbers that they have here.
func unpackElsewhere(t *testing.T, number string, files []*os.File) (string, int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil {
			t.Fatal(err)
		}
		defer unix.CloseOnExec(int(f.Fd()))
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), handoffChildEnv+"="+number)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestHandoff(t *testing.T) {
	o := &opened{found: failed("two\nlines"), goal: confine.Goal{Keep: []int{39}}}
	want := ""
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		o.listeners = append(o.listeners, l)
		want += fmt.Sprintln("listener", l.Addr())
	}
	var err error
	socket := filepath.Join(t.TempDir(), "s")
	if o.api, err = api.Listen(socket); err != nil {
		t.Fatal(err)
	}
	defer o.api.Close()
	want += fmt.Sprintln("api", socket)
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	if o.notify, err = dialNotify(); err != nil {
		t.Fatal(err)
	}
	files, err := o.pack()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 5 {
		t.Fatalf("%d descriptors, want the text, three sockets and the service manager's", len(files))
	}
	got, code := unpackElsewhere(t, numberOf(files[0]), files)
	want += "notify <nil>\nfailure no_btf: two\nlines\nkeep [39] source false\n"
	if code != 0 || got != want {
		t.Errorf("code %d:\n%swant:\n%s", code, got, want)
	}
	b := make([]byte, 16)
	if n, err := manager.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("the service manager got %q, %v", b[:n], err)
	}
}

// failed is what a host offers that cannot be scanned.
func failed(message string) sources.Found {
	return sources.Found{Failure: &scan.Error{Reason: "no_btf", Missing: message}}
}

func numberOf(f *os.File) string { return strconv.Itoa(int(f.Fd())) }

func TestNotifyNobody(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if f, err := dialNotify(); f != nil || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	notify(nil, "READY=1")
}

// What the first stage found out about the kernel, the serving one knows.
func TestHandoffKernel(t *testing.T) {
	o := &opened{found: sources.Found{Attribute: true, Kernel: &scan.Kernel{
		Release: "6.18", Landlock: scan.Enabled, ABI: 7,
		Rights: access.Bounds{Sure: access.Rights{access.FS: 5}, May: access.Rights{access.FS: 7, access.Scope: 1}},
		Errata: 5, ErrataKnown: true, Ways: 6, WaysUnknown: 1,
	}}, attribute: os.Stderr}
	files, err := o.pack()
	if err != nil {
		t.Fatal(err)
	}
	got, code := unpackElsewhere(t, numberOf(files[0]), files)
	want := fmt.Sprintf("keep [] source false\nattribute true, kernel %+v\n", *o.found.Kernel)
	if code != 0 || got != want {
		t.Errorf("code %d:\n%swant:\n%s", code, got, want)
	}
}

// The process that opens what assets are is that of its PID, behind its socket.
func TestHandoffOfResolver(t *testing.T) {
	o := &opened{found: failed("x"), resolver: os.Stderr, resolverPID: 77}
	files, err := o.pack()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Dup(int(files[0].Fd())) // readHandoff closes it
	if err != nil {
		t.Fatal(err)
	}
	h, err := readHandoff(strconv.Itoa(fd))
	if err != nil || h.Resolver != 77 || !slices.Equal(h.Files, []int{int(os.Stderr.Fd())}) {
		t.Errorf("%+v, %v", h, err)
	}
}

// What the second stage may read passes to it.
func TestHandoffOfCmdline(t *testing.T) {
	for _, want := range []bool{true, false} {
		o := &opened{found: failed("x"), cmdline: want}
		files, err := o.pack()
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Dup(int(files[0].Fd())) // readHandoff closes it
		if err != nil {
			t.Fatal(err)
		}
		h, err := readHandoff(strconv.Itoa(fd))
		if err != nil || h.Cmdline != want {
			t.Errorf("%v, %v; want %v", h.Cmdline, err, want)
		}
	}
}

// What the first stage cannot do passes to the second, as often as something fails.
func TestHandoffOfFailures(t *testing.T) {
	o := &opened{found: failed("x"), goal: confine.Goal{UID: 65534, GID: -1, Bounding: true}}
	files, err := o.pack()
	if err != nil {
		t.Fatal(err)
	}
	want := []confine.Failure{
		{Mechanism: confine.Landlock, Reason: confine.TooManyLayers}, {Mechanism: confine.Keyring, Reason: confine.Refused},
	}
	for _, f := range want {
		if err := addFailure(files[0], f); err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.Dup(int(files[0].Fd())) // readHandoff closes it
	if err != nil {
		t.Fatal(err)
	}
	h, err := readHandoff(strconv.Itoa(fd))
	if err != nil || !slices.Equal(h.Failed, want) || !reflect.DeepEqual(h.Goal, o.goal) {
		t.Errorf("%+v, %v", h, err)
	}
}

// badHandoffs are texts that no first stage leaves. Whoever sets the variable
// by hand gives such.
var badHandoffs = []string{
	"", "landlockd", "{}", "null", "[]", "1", `{"listeners":1}`, `{"listeners":-1}`, `{"listeners":1000000000,"failure":{"reason":"x"}}`,
	`{"listeners":1,"failure":{"reason":"x"}}`, `{"source":{}}`, `{"source":null}`, `{"source":{"Info":{"source":"taskiter"}}}`,
	`{"source":{},"source_files":-1}`, `{"source":{},"source_files":1000000000}`, `{"failure":{"reason":"x"},"source_files":1,"files":[1]}`,
	`{"source":{},"source_files":0}`, `{"listeners":9223372036854775807,"source":{},"source_files":9223372036854775807}`,
	`{"keep":[-1],"failure":{"reason":"x"}}`, `{"keep":[64],"failure":{"reason":"x"}}`, `{"keep":[9999999999999999999]}`, `{"failure":null}`,
	`{"failure":{"reason":"x"},"source":{}}`, `{"failure":{"reason":"x"},"files":[1]}`, `{"failure":{"reason":"x"},"notify":true,"files":[-1]}`,
	`{"failure":{"reason":"x"},"notify":true,"files":[4294967300]}`, `{"listeners":-1,"notify":true,"failure":{"reason":"x"}}`,
	`{"attribute":true}`, `{"attribute":true,"kernel":null}`, `{"attribute":true,"kernel":{"Landlock":"maybe"}}`,
	`{"attribute":true,"kernel":{}}`, `{"failure":{"reason":"x"},"api":true}`, `{"failure":{"reason":"x"},"api":1,"files":[3]}`, `{"failure":{"reason":"x"},"api":true,"files":[0]}`,
	`{"failure":{"reason":"x"},"runs":{"files":-1}}`, `{"failure":{"reason":"x"},"runs":{"files":1},"files":[3]}`, withRuns(`"failure":{"reason":"x"}`, 0),
	`{"failure":{"reason":"x"},"resolver":7}`, `{"failure":{"reason":"x"},"resolver":-7}`, `{"failure":{"reason":"x"},"resolver":99999999999,"files":[3]}`,
}

// withRuns is a handoff with the descriptors by which processes that end are counted, behind
// so many of a source.
func withRuns(source string, of int) string {
	n := trace.State{Copies: 1}.NumFiles()
	files := strings.Trim(strings.Repeat("3,", of+n), ",")
	return fmt.Sprintf(
		`{%s,"runs":{"files":%d,"state":{"Copies":1}},"files":[%s]}`, source, n, files)
}

func TestUnpackRefuses(t *testing.T) {
	for _, text := range badHandoffs {
		f, err := os.Create(filepath.Join(t.TempDir(), "handoff"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got, code := unpackElsewhere(t, numberOf(f), []*os.File{f})
		f.Close()
		if code != 1 || !strings.HasPrefix(got, "error: ") || strings.Contains(got, "goroutine") {
			t.Errorf("%s: code %d: %s", text, code, got)
		}
	}
	for _, number := range []string{"serving", "-1", "99", "99999999999", "3.5", "0x3"} {
		if got, code := unpackElsewhere(t, number, nil); code != 1 || !strings.HasPrefix(got, "error: ") {
			t.Errorf("%s: code %d: %s", number, code, got)
		}
	}
}

// What the second stage reads is what the first wrote, or refused.
func FuzzHandoff(f *testing.F) {
	for _, text := range badHandoffs {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"attribute":true,"kernel":{"Landlock":"disabled"},"keep":[19],"files":[3]}`))
	f.Add([]byte(`{"listeners":2,"api":true,"notify":true,"source":{"a":[1]},"source_files":3,"keep":[39],"files":[3,4,5,6,7,8,9]}`))
	f.Add([]byte(`{"attribute":true,"resolver":7,"kernel":{"Landlock":"enabled"},"files":[3,4]}`))
	f.Add([]byte(withRuns(`"source":{},"source_files":3`, 3)))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := parseHandoff(text)
		if err != nil {
			return
		}
		b, err := json.Marshal(h)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := parseHandoff(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if c, err := json.Marshal(again); err != nil || string(c) != string(b) {
			t.Errorf("%s becomes %s (%v)", b, c, err)
		}
	})
}
