// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// standardError returns what f writes there.
func standardError(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	old := os.Stderr
	os.Stderr = w
	f()
	os.Stderr = old
	w.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRunWritesOneLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		line string
	}{
		{[]string{"/usr/sbin/landlockd", "--nope"}, exitUsage, "landlockd: serve has no flag --nope (try serve --help)\n"},
		{[]string{"landlockd", "help", "tre"}, exitUsage, "landlockd: there is no command \"tre\": did you mean tree? (try --help)\n"},
		{[]string{"other-name", "nope"}, exitUsage, "other-name: "},
		{[]string{"", "--nope"}, exitUsage, "landlockd: "},
		{[]string{"landlockd", "--path.procfs=/no/such/dir"}, exitUsage, `landlockd: --path.procfs "/no/such/dir": no such file or directory` + "\n"},
		{[]string{"landlockd", "--no\nsuch\x1b[31m"}, exitUsage, "landlockd: "},
	} {
		code := -1
		text := standardError(t, func() { code = run(c.args) })
		if code != c.code || !strings.HasPrefix(text, c.line) || strings.Count(text, "\n") != 1 || strings.Contains(text, "\x1b") {
			t.Errorf("%q: %d, %q; want %d, %q", c.args, code, text, c.code, c.line)
		}
	}
}

func TestErrorKinds(t *testing.T) {
	cause := errors.New("cause")
	wrapped := fmt.Errorf("around: %w", usageError{fmt.Errorf("in: %w", cause)})
	var usage usageError
	if !errors.As(wrapped, &usage) || !errors.Is(wrapped, cause) || wrapped.Error() != "around: in: cause" {
		t.Errorf("%v", wrapped)
	}
	var quiet quietError
	if errors.As(wrapped, &quiet) || !errors.As(error(quietError{cause}), &quiet) || !errors.Is(quiet, cause) {
		t.Errorf("%v", quiet)
	}
}

// The codes that check promises, whatever else an error is.
func TestExitCodes(t *testing.T) {
	var code codeError
	if err := undecided(usageError{errors.New("x")}); errors.As(err, &code) {
		t.Errorf("wrong usage becomes %v", err)
	}
	if err := undecided(errors.New("x")); !errors.As(err, &code) || code.code != exitUndecided {
		t.Errorf("%v", err)
	}
	bad := filepath.Join(t.TempDir(), "bad.yml")
	if err := os.WriteFile(bad, []byte("rules: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"landlockd", "check-config", bad}, exitUsage},
		{[]string{"landlockd", "check", "--config.file=" + bad}, exitUsage},
		{[]string{"landlockd", "rules", "suggest", "--snapshot=" + bad}, exitUsage},
	} {
		text := standardError(t, func() {
			if got := run(c.args); got != c.code {
				t.Errorf("%q: %d, want %d", c.args, got, c.code)
			}
		})
		if !strings.Contains(text, "bad.yml") || strings.Count(text, "\n") != 1 {
			t.Errorf("%q: %s", c.args, text)
		}
	}
}
