// SPDX-License-Identifier: Apache-2.0

// Package examples runs the programs that show how others use landlockd's packages.
package examples

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// build compiles an example.
func build(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs CAP_BPF and CAP_PERFMON")
	}
	program := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func TestCoverage(t *testing.T) {
	out, err := exec.Command(build(t, "coverage")).CombinedOutput()
	want := regexp.MustCompile(`^\d+ of [1-9]\d* processes are sandboxed, \d+ in part; of \d+ that is not known\n$`)
	if err != nil || !want.Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestExporter(t *testing.T) {
	program := build(t, "exporter")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, "-listen="+address)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cancel()
	var text string
	for range 200 {
		if text = get(t, "http://"+address+"/metrics"); text != "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, want := range []string{"example_up 1\n", "landlock_enabled ", `landlock_processes{state="sandboxed"} `} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// get returns what is served; nothing as long as nothing is.
func get(t *testing.T, url string) string {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%s, %v: %s", response.Status, err, text)
	}
	return string(text)
}

// TestSmallImport: who reads domains alone gets neither metrics nor flags with it.
func TestSmallImport(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./coverage").Output()
	if err != nil || !strings.Contains(string(out), "landlockd/taskiter\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	for name := range strings.Lines(string(out)) {
		for _, big := range []string{"github.com/prometheus/", "github.com/alecthomas/", "net/http", "google.golang.org/"} {
			if strings.HasPrefix(name, big) {
				t.Errorf("it imports %s", name)
			}
		}
	}
}
