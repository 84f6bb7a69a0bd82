// SPDX-License-Identifier: Apache-2.0

package inforce

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/policy"
)

// What to do is said of a file that was denied though its mode allows it, and by its place.
func TestAdvise(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	denied := func(path string) error { return &fs.PathError{Op: "open", Path: path, Err: unix.EACCES} }
	for _, c := range []struct {
		err  error
		want bool
	}{
		{denied(link), true},
		{fmt.Errorf("wrapped: %w", denied(link)), true},
		{denied(filepath.Join(dir, "missing")), false},
		{&fs.PathError{Op: "open", Path: link, Err: unix.ENOENT}, false},
		{errors.New("other"), false},
		{nil, false},
	} {
		got := advise(c.err)
		if advised := got != nil && strings.Contains(got.Error(), dir+" is not: restart"); advised != c.want || !errors.Is(got, c.err) {
			t.Errorf("%v: %v", c.err, got)
		}
		load := &policy.LoadError{Problems: []policy.Problem{{Message: "a"}, {Message: "b", Cause: c.err}}}
		if got := advise(load); strings.Contains(got.Error(), "restart") != c.want || load.Problems[0].Message != "a" {
			t.Errorf("%v, of a problem: %v", c.err, got)
		}
	}
}

// The loader keeps the cause of what it could not read.
func TestCauseOfProblems(t *testing.T) {
	dir := t.TempDir()
	main := filepath.Join(dir, "main.yml")
	if err := os.WriteFile(main, []byte("rule_files: [missing.yml, main.yml/*.yml]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := policy.Load(main)
	load, ok := errors.AsType[*policy.LoadError](err)
	if !ok || len(load.Problems) != 2 {
		t.Fatalf("%v", err)
	}
	for _, p := range load.Problems {
		if _, ok := errors.AsType[*fs.PathError](p.Cause); !ok {
			t.Errorf("%s: cause %v", p, p.Cause)
		}
	}
}
