// SPDX-License-Identifier: Apache-2.0

package seccomp

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// runtimeRefused are the calls that Go's runtime has, and that are refused, with the reason.
var runtimeRefused = map[string]string{
	"archprctl":       "only cgo, before any filter",
	"connect":         "only on Android, to its log",
	"copyfilerange":   "no file is written",
	"epollpwait2":     "not called by Go 1.26",
	"openat2":         "not called by Go 1.26",
	"pidfdsendsignal": "no process is started",
	"pipe2":           "only by tests of the runtime",
	"setitimer":       "only to profile",
	"setittimer":      "only to profile", // as amd64 has it
	"socket":          "only on Android, to its log",
	"timercreate":     "only to profile",
	"timerdelete":     "only to profile",
	"timersettime":    "only to profile",
}

// runtimeCalls returns the numbers of the system calls that the runtime of the Go in use
// has on an architecture, by name. Names are as they are there, but in one spelling.
func runtimeCalls(t *testing.T, arch string) map[string]uint32 {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	trap := "sysnum_linux_" + arch + ".go"
	if arch == "arm64" {
		trap = "sysnum_linux_generic.go"
	}
	found := map[string]uint32{}
	for file, line := range map[string]string{
		"runtime/sys_linux_" + arch + ".s":                          `(?m)^#define SYS_(\w+)\s+(\d+)`,
		"internal/runtime/syscall/linux/defs_linux_" + arch + ".go": `(?m)^\s+SYS_(\w+)\s+= (\d+)`,
		"internal/syscall/unix/" + trap:                             `(?m)^\s+(\w+)Trap\s+uintptr = (\d+)`,
	} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "src", file))
		if err != nil {
			t.Fatalf("a Go release has moved what this test reads: %v", err)
		}
		matches := regexp.MustCompile(line).FindAllStringSubmatch(string(text), -1)
		if len(matches) < 5 {
			t.Fatalf("%s has %d system calls: a Go release has another form", file, len(matches))
		}
		for _, m := range matches {
			var number uint32
			if _, err := fmt.Sscan(m[2], &number); err != nil {
				t.Fatal(err)
			}
			found[strings.ReplaceAll(strings.ToLower(m[1]), "_", "")] = number
		}
	}
	return found
}

// TestCallsOfTheRuntime fails when a Go release has a system call that nobody has decided
// about.
func TestCallsOfTheRuntime(t *testing.T) {
	here := runtimeCalls(t, runtime.GOARCH)
	for name, number := range here {
		allowed := slices.ContainsFunc(Serving(), func(c call) bool { return c.number == number })
		if _, refused := runtimeRefused[name]; allowed == refused {
			t.Errorf("%s (%d) of Go's runtime: allowed: %v, refused with a reason: %v. Find out when "+
				"%s calls it; then allow it in calls.go, or give a reason here",
				name, number, allowed, refused, runtime.Version())
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		for name := range runtimeCalls(t, arch) {
			_, known := here[name]
			if _, refused := runtimeRefused[name]; !known && !refused {
				t.Errorf("%s of Go's runtime on %s is not known: see above", name, arch)
			}
		}
	}
}
