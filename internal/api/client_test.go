// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/test/hosts"
	"github.com/landlockd/landlockd/test/testenv"
)

// answering is a socket on which every request gets the same bytes.
func answering(t *testing.T, text string) string { return listening(t, text, false) }

// stalling is a socket on which every request gets the same bytes, and then nothing.
func stalling(t *testing.T, text string) string { return listening(t, text, true) }

func listening(t *testing.T, text string, stalls bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go answerAll(l, text, stalls)
	return path
}

func answerAll(l net.Listener, text string, stalls bool) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = bufio.NewReader(c).ReadString('\n')
			_, _ = io.WriteString(c, text)
			if stalls {
				_, _ = io.Copy(io.Discard, c) // until the client gives up
			}
		}()
	}
}

func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func TestHostileServers(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not HTTP":         {"hello\r\n\r\n", "malformed HTTP"},
		"nothing":          {"\r\n", "malformed HTTP"},
		"no JSON":          {ok("x"), "malformed"},
		"another form":     {ok(`{"schema":"landlockd/denials/v2"}`), "landlockd/denials/v2"},
		"no object":        {ok(`[]`), "malformed"},
		"a denial":         {ok(`{"schema":"landlockd/denials/v1","denials":[{"object":"dog"}]}`), "dog"},
		"a strange way":    {ok(`{"schema":"landlockd/denials/v1","way":"\u001b[2J"}`), "by"},
		"a blocker":        {ok(`{"schema":"landlockd/denials/v1","way":"audit","denials":[{"object":"file","blockers":["\u202e"]}]}`), "blocker"},
		"too long":         {ok(`"` + strings.Repeat("x", maxAnswer) + `"`), "longer than"},
		"without end":      {"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", maxAnswer+1), "longer than"},
		"cut short":        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "unexpected EOF"},
		"long headers":     {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n{}", "longer than 4096 bytes"},
		"elsewhere":        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "302"},
		"refused, no form": {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}", "does not say why"},
	} {
		_, err := AskDenials(t.Context(), answering(t, c.text), 1)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "http://landlockd") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := AskDenials(ctx, stalling(t, ""), 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no answer: %v", err)
	}
}

// TestStalledAnswers: who gives up finds that out, wherever the answer stopped.
func TestStalledAnswers(t *testing.T) {
	var b strings.Builder
	if err := recorded.Write(&b, &hosts.Mixed().Snapshot, recorded.Options{}); err != nil {
		t.Fatal(err)
	}
	chunk := fmt.Sprintf("%x\r\n%s\r\n", b.Len(), &b)
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, text := range map[string]string{
		"in the head": head[:30], "in the snapshot": head + chunk[:b.Len()/2], "behind it": head + chunk,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if _, err := AskSnapshot(ctx, stalling(t, text)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	if _, err := AskSnapshot(t.Context(), stalling(t, head+chunk+"0\r\n\r\n")); err != nil {
		t.Errorf("whole: %v", err)
	}
}

// TestCutLines: of a line that was cut nothing is handed out, and nothing behind what ends it.
func TestCutLines(t *testing.T) {
	for text, want := range map[string]error{
		"one\ntwo\nthr": io.ErrUnexpectedEOF, "one\nend\nthree\n": context.Canceled,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		lines := 0
		err := EachLine(ctx, answering(t, ok(text)), "/", func(line []byte) error {
			if lines++; string(line) == "end" {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, want) || lines != 2 {
			t.Errorf("%q: %d lines, %v; want %v", text, lines, err, want)
		}
		cancel()
	}
}

func TestAbsent(t *testing.T) {
	dir := t.TempDir()
	dead := filepath.Join(dir, "dead")
	l, err := Listen(dead)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, path := range []string{dead, filepath.Join(dir, "none"), filepath.Join(dir, "no", "dir")} {
		if _, err := AskDenials(t.Context(), path, 1); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestPlantedSocket: a socket of another user is asked only if none but that user and
// root could have made it.
func TestPlantedSocket(t *testing.T) {
	testenv.NeedRoot(t)
	for _, c := range []struct {
		name  string
		mode  os.FileMode
		uid   int
		asked bool
	}{
		{"where everybody may write", 0o777 | os.ModeSticky, 0, false},
		{"in its own directory, where others may write", 0o777, 65534, false},
		{"in its own directory", 0o755, 65534, true},
	} {
		dir := testenv.PublicDir(t)
		if err := os.Chmod(dir, c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, c.uid, c.uid); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "s")
		cmd := exec.Command("/proc/self/exe", playRole, "listen-as-nobody", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if line, _ := lines.ReadString('\n'); line != "ready\n" {
			t.Fatalf("%q", line)
		}
		wait := time.Minute
		if c.asked { // in vain, as nobody answers
			wait = time.Second
		}
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		_, err = AskDenials(ctx, path, 1)
		cancel()
		if err == nil || errors.Is(err, context.DeadlineExceeded) != c.asked || strings.Contains(err.Error(), "not asked") == c.asked {
			t.Errorf("%s: %v", c.name, err)
		}
		if line, _ := lines.ReadString('\n'); strings.HasPrefix(line, "was asked 0 bytes") == c.asked || !strings.HasPrefix(line, "was asked") {
			t.Errorf("%s: the server %q", c.name, line)
		}
		_ = cmd.Wait()
	}
}

// Those who keep the queue of the socket full delay whoever asks, and do not keep him out.
func TestAskInACrowd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 1)); err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), path)
	l, err := net.FileListener(file)
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for err == nil { // until the queue is full
		var c net.Conn
		if c, err = net.Dial("unix", path); err == nil {
			defer c.Close()
		}
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := AskDenials(ctx, path, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody is accepted: %v", err)
	}
	time.AfterFunc(100*time.Millisecond, func() {
		answerAll(l, "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}", false)
	})
	var refused *Refused
	if _, err := AskDenials(t.Context(), path, 1); !errors.As(err, &refused) {
		t.Errorf("%v, want an answer", err)
	}
}
