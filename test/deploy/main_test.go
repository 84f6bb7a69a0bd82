// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// epoch is the time of the commit that the releases of the tests pretend to be of.
const epoch = "1700000000"

// revision is the commit that they pretend to be of.
const revision = "0123456789abcdef0123456789abcdef01234567"

// scratch is removed when all tests have ended.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "landlockd-deploy-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		// Files of packages are read by other users there.
		if err := os.Chmod(scratch, 0o755); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// top is the root of the tree.
func top(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a program to its end and returns what it printed to standard output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return runIn(t, "", nil, name, args...)
}

func runIn(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := tryIn(t.Context(), dir, env, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// try is run for what may fail.
func try(ctx context.Context, name string, args ...string) (string, error) {
	return tryIn(ctx, "", nil, name, args...)
}

func tryIn(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(cmd.Environ(), "LC_ALL=C.UTF-8", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// What it leaves behind in the background may hold its output open.
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%w: test/setup.sh installs it", err)
	}
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s%s", strings.Join(append([]string{name}, args...), " "), err, out, &stderr)
	}
	return string(out), nil
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err = holds(); err == nil {
			return
		}
	}
	t.Fatalf("it did not come to pass that %s: %v", what, err)
}

// release is a directory that release.sh wrote, for amd64 and arm64 or for this
// machine's architecture alone.
type release struct{ dir, version string }

// file returns the path of an artefact, by the one pattern that it matches.
func (r release) file(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(r.dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s in %s: %v, %v", pattern, r.dir, found, err)
	}
	return found[0]
}

func (r release) deb(t *testing.T) string { return r.file(t, "*_"+runtime.GOARCH+".deb") }
func (r release) rpm(t *testing.T) string {
	return r.file(t, "*."+map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]+".rpm")
}

// tree is a copy of what is or could be committed, made once: others may write to
// the tree while it is tested. It has no .git, so that versions are as given.
var tree = sync.OnceValues(func() (string, error) {
	return copyTree("tree")
})

func copyTree(name string) (string, error) {
	dir := filepath.Join(scratch, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	// Deleted files are listed until that is committed.
	const script = `git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
		[ ! -e "$f" ] || printf '%s\0' "$f"; done | tar --null --no-recursion -T - -c | tar -C "$1" -x`
	_, err := tryIn(context.Background(), "../..", nil, "bash", "-euo", "pipefail", "-c", script, "copy", dir)
	return dir, err
}

// built are the releases that tests share: of two versions, from one tree.
var (
	first  = sync.OnceValues(func() (release, error) { return build("first", "v1.0.0", "amd64 arm64", tree) })
	second = sync.OnceValues(func() (release, error) { return build("second", "v1.1.0", runtime.GOARCH, tree) })
)

func build(name, version, arches string, from func() (string, error)) (release, error) {
	src, err := from()
	if err != nil {
		return release{}, err
	}
	dir := filepath.Join(scratch, name)
	env := []string{"VERSION=" + version, "SOURCE_DATE_EPOCH=" + epoch, "REVISION=" + revision, "ARCHES=" + arches}
	_, err = tryIn(context.Background(), src, env, "deploy/packaging/release.sh", dir)
	return release{dir: dir, version: strings.TrimPrefix(version, "v")}, err
}

func get(t *testing.T, which func() (release, error)) release {
	t.Helper()
	r, err := which()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runWith runs a program that reads standard input.
func runWith(t *testing.T, input, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
