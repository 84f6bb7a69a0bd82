// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
)

// of returns assets of some paths each.
func of(paths ...[]string) (assets []domainid.Asset) {
	for _, p := range paths {
		assets = append(assets, domainid.Asset{Paths: p})
	}
	return assets
}

func openLocal(t *testing.T, root string, assets []domainid.Asset) *Local {
	t.Helper()
	l, err := OpenLocal(root, func() []domainid.Asset { return assets })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// lines returns a table as text, without the directory that all is below. What is open must
// be what the path leads to.
func lines(t *testing.T, dir string, objects []domainid.Object, fds []int32) string {
	t.Helper()
	var b strings.Builder
	for i, o := range objects {
		fmt.Fprintf(&b, "%d: %d %s %s", i, o.Asset, o.Kind, strings.TrimPrefix(o.Path, dir))
		if o.Parent >= 0 {
			fmt.Fprintf(&b, " in %d", o.Parent)
		}
		b.WriteString("\n")
		if fds[i] < 0 {
			continue
		}
		var open, there unix.Stat_t
		path := o.Path
		if !strings.HasPrefix(path, dir) {
			path = dir + path
		}
		if err := unix.Fstat(int(fds[i]), &open); err != nil {
			t.Errorf("%s: %v", o.Path, err)
		} else if err := unix.Lstat(path, &there); err != nil || open.Ino != there.Ino || open.Dev != there.Dev {
			t.Errorf("%s: another file is open (%v)", o.Path, err)
		}
		if flags, err := unix.FcntlInt(uintptr(fds[i]), unix.F_GETFL, 0); err != nil || flags&unix.O_PATH == 0 {
			t.Errorf("%s: opened with %o (%v)", o.Path, flags, err)
		}
	}
	return b.String()
}

func resolved(t *testing.T, l *Local, dir string) string {
	t.Helper()
	objects, fds, _ := l.Resolve(t.Context())
	return lines(t, dir, objects, fds)
}

// numOpen returns how many descriptors this process has.
func numOpen(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// allClosed waits until no more descriptors are open than before: calls that nobody waits for
// any more close theirs when they return.
func allClosed(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); numOpen(t) > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d are open, %d were before", numOpen(t), before)
		}
	}
}

// house makes files: a path that ends in / is a directory, "a -> b" a link.
func house(t *testing.T, paths ...string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		var err error
		name, to, link := strings.Cut(path, " -> ")
		switch {
		case link:
			err = os.Symlink(to, filepath.Join(dir, name))
		case strings.HasSuffix(path, "/"):
			err = os.MkdirAll(filepath.Join(dir, path), 0o755)
		default:
			err = os.WriteFile(filepath.Join(dir, path), nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestResolve(t *testing.T) {
	dir := house(t, "etc/", "etc/ssh/", "etc/shadow", "etc/ssh/rsa_key", "etc/ssh/ed_key", "etc/ssh/.hidden_key",
		"etc/ssh/config", "data/", "data/real", "etc/link -> ../data/second", "data/second -> real",
		"etc/dangling -> nowhere", "users/", "users/a/", "users/b/", "users/a/.ssh/", "users/b/.ssh/", "users/c",
		"etc/loop -> loop", "run/", "var -> etc")
	listener, err := net.Listen("unix", dir+"/run/sock")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for name, c := range map[string]struct {
		paths []string
		want  string
	}{
		"a file":             {[]string{"/etc/shadow"}, "0: -1 directory /etc\n1: 0 file /etc/shadow in 0\n"},
		"a directory":        {[]string{"/etc"}, "0: 0 directory /etc\n"},
		"a socket":           {[]string{"/run/sock"}, "0: -1 directory /run\n1: 0 socket /run/sock in 0\n"},
		"nothing":            {[]string{"/etc/none", "/none/x", "/etc/shadow/x", "/etc/dangling"}, "0: 0 absent /etc/none\n1: 0 absent /none/x\n2: 0 absent /etc/shadow/x\n3: 0 absent /etc/dangling\n"},
		"a loop":             {[]string{"/etc/loop"}, "0: 0 unreadable /etc/loop\n"},
		"a directory's link": {[]string{"/var", "/var/shadow"}, "0: 0 directory /etc\n1: -1 directory /etc\n2: 0 file /etc/shadow in 1\n"},
		"links to a file":    {[]string{"/etc/link"}, "0: -1 directory /data\n1: 0 file /data/real in 0\n2: -1 directory /etc\n3: 0 file /data/real in 2\n"},
		"a pattern": {[]string{"/etc/ssh/*_key"}, "0: -1 directory /etc/ssh\n1: 0 file /etc/ssh/.hidden_key in 0\n" +
			"2: 0 file /etc/ssh/ed_key in 0\n3: 0 file /etc/ssh/rsa_key in 0\n"},
		"a pattern of directories": {[]string{"/users/*/.ssh"}, "0: 0 directory /users/a/.ssh\n1: 0 directory /users/b/.ssh\n"},
		"two patterns":             {[]string{"/u*s/[ab]"}, "0: 0 directory /users/a\n1: 0 directory /users/b\n"},
		"a pattern of nothing":     {[]string{"/etc/*.none", "/none/*"}, "0: 0 absent /etc/*.none\n1: 0 absent /none/*\n"},
	} {
		paths := slices.Clone(c.paths)
		for i := range paths {
			paths[i] = dir + paths[i]
		}
		if got := resolved(t, openLocal(t, "/", of(paths)), dir); got != c.want {
			t.Errorf("%s:\n%swant\n%s", name, got, c.want)
		}
		// The same in a container, which has all this somewhere.
		if got := resolved(t, openLocal(t, dir, of(c.paths)), dir); got != c.want {
			t.Errorf("%s, in a container:\n%swant\n%s", name, got, c.want)
		}
	}
}

// TestSamePaths: as many assets as there can be, all of the same paths, are all found: that one
// is just being looked for keeps no other from it.
func TestSamePaths(t *testing.T) {
	dir := house(t, "etc/", "etc/ssh/", "data/")
	assets := make([][]string, domainid.MaxAssets)
	var want strings.Builder
	for i := range assets {
		for _, name := range []string{"/etc", "/etc/ssh", "/data"} {
			assets[i] = append(assets[i], dir+name)
			fmt.Fprintf(&want, "%d: %d directory %s\n", len(assets[i])-1+3*i, i, name)
		}
	}
	l := openLocal(t, "/", of(assets...))
	synctest.Test(t, func(t *testing.T) { // no time passes, as busy as the host may be
		for range 20 {
			if got := resolved(t, l, dir); got != want.String() {
				t.Fatalf("%swant\n%s", got, &want)
			}
		}
	})
}

// In a container a link leads where it does on the host.
func TestResolveInRoot(t *testing.T) {
	dir := house(t, "etc/", "etc/shadow", "absolute -> /etc/shadow", "above -> ../../../../../../../../etc/shadow")
	for _, path := range []string{"/absolute", "/above"} {
		want := "0: -1 directory /etc\n1: 0 file /etc/shadow in 0\n2: -1 directory /\n3: 0 file /etc/shadow in 2\n"
		if got := resolved(t, openLocal(t, dir, of([]string{path})), dir); got != want {
			t.Errorf("%s:\n%s", path, got)
		}
	}
}

// Each scan gets what is there then, and nothing stays open.
func TestResolveAnew(t *testing.T) {
	dir := house(t, "a", "b/")
	l := openLocal(t, "/", of([]string{dir + "/a", dir + "/b/*"}))
	before := numOpen(t)
	first, _, _ := l.Resolve(t.Context())
	if got := numOpen(t) - before; got != 2 || len(first) != 3 {
		t.Errorf("%d are open of %v", got, first)
	}
	for i := range 50 {
		if err := os.WriteFile(dir+"/new", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(dir+"/new", dir+"/a"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/b/"+strconv.Itoa(i%10), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		want := "0: -1 directory \n1: 0 file /a in 0\n2: -1 directory /b\n"
		if got := resolved(t, l, dir); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 3+min(i+1, 10) {
			t.Errorf("%s", got)
		}
	}
	l.Release()
	allClosed(t, before)
}

// What is swapped all the time is what it was at some instant, or unreadable: never absent,
// and never one thing with the directory of another.
func TestSwapped(t *testing.T) {
	dir := house(t, "one/", "other/", "one/file", "other/file", "link -> one")
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Symlink([]string{"other", "one"}[i%2], dir+"/new")
			_ = os.Rename(dir+"/new", dir+"/link")
		}
	}()
	l := openLocal(t, "/", of([]string{dir + "/link/file"}))
	before := numOpen(t)
	for range 2000 {
		got := resolved(t, l, dir)
		one, other := "0: -1 directory /one\n1: 0 file /one/file in 0\n", "0: -1 directory /other\n1: 0 file /other/file in 0\n"
		if got != one && got != other && !strings.Contains(got, "unreadable") {
			t.Fatalf("%s", got)
		}
	}
	close(stop)
	<-done
	l.Release()
	allClosed(t, before)
}

// A directory that nobody has rights to hides what is on the host: that is not absent.
func TestHidden(t *testing.T) {
	dir := house(t, "home/")
	if err := os.Chmod(dir+"/home", 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir+"/home", 0o700)
	for _, path := range []string{"/home/a", "/home/a/b", "/home/*", "/home/*/x"} {
		if got := resolved(t, openLocal(t, "/", of([]string{dir + path})), dir); !strings.HasPrefix(got, "0: 0 unreadable ") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// However many files somebody makes, other assets are what they are.
func TestManyMatches(t *testing.T) {
	dir := house(t, "many/", "more/", "root/", "root/secret")
	for i := range maxEntries + 100 {
		if err := os.WriteFile(dir+"/many/"+strconv.Itoa(i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if i < 2*maxMatches {
			if err := os.Mkdir(dir+"/more/"+strconv.Itoa(i), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	l := openLocal(t, "/", of([]string{dir + "/many/*"}, []string{dir + "/more/*", dir + "/many/0*"}, []string{dir + "/root/secret"}, nil,
		[]string{dir + "/many/*x"}))
	objects, fds, _ := l.Resolve(t.Context())
	if len(objects) > domainid.MaxObjects || len(objects) != len(fds) {
		t.Errorf("%d objects, %d descriptors", len(objects), len(fds))
	}
	kinds := map[int32][]domainid.ObjectKind{}
	for _, o := range objects {
		kinds[o.Asset] = append(kinds[o.Asset], o.Kind)
	}
	for _, asset := range []int32{0, 1, 4} {
		if !slices.Contains(kinds[asset], domainid.ObjectUnreadable) || slices.Contains(kinds[asset], domainid.ObjectAbsent) {
			t.Errorf("asset %d: %v", asset, kinds[asset])
		}
	}
	if !slices.Equal(kinds[2], []domainid.ObjectKind{domainid.ObjectFile}) || kinds[3] != nil {
		t.Errorf("%v", kinds)
	}
}

// So it is with few files that many links lead to, each from a directory of its own.
func TestManyLinks(t *testing.T) {
	var files, paths []string
	for i := range 10 {
		d := fmt.Sprint("root", i, "/")
		files, paths = append(files, d, d+"file"), append(paths, d+"file")
	}
	files = append(files, "user/")
	for i := range 60 {
		at := func(k int) string { return fmt.Sprint("d", i, "-", k, "/") }
		files = append(files, at(6), at(6)+"x")
		for k := 5; k >= 0; k-- {
			files = append(files, at(k), at(k)+"x -> ../"+at(k+1)+"x")
		}
		files = append(files, fmt.Sprint("user/x", i, " -> ../", at(0), "x"))
	}
	dir := house(t, files...)
	for i := range paths {
		paths[i] = dir + "/" + paths[i]
	}
	l := openLocal(t, "/", of(paths, []string{dir + "/user/x[0-6]"}, []string{dir + "/user/*", dir + "/user/x*"}))
	before := numOpen(t)
	objects, _, _ := l.Resolve(t.Context())
	kinds := map[int32]map[domainid.ObjectKind]int{0: {}, 1: {}, 2: {}}
	for _, o := range objects {
		if o.Asset >= 0 {
			kinds[o.Asset][o.Kind]++
		}
	}
	if len(objects) > domainid.MaxObjects || kinds[0][domainid.ObjectFile] != len(paths) || kinds[0][domainid.ObjectUnreadable] != 0 ||
		kinds[1][domainid.ObjectUnreadable] == 0 || kinds[2][domainid.ObjectUnreadable] == 0 {
		t.Errorf("%d objects: %v", len(objects), kinds)
	}
	const onePath = 20 // what is opened for a path before the count is looked at
	if n := numOpen(t) - before; n > 2*(maxOpen+onePath)+2*len(paths) {
		t.Errorf("%d are open", n)
	}
}

func BenchmarkResolve(b *testing.B) {
	assets := of([]string{"/etc/shadow", "/etc/gshadow", "/etc/ssh/*_key", "/root/.ssh"}, []string{"/usr", "/etc/systemd"},
		[]string{"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/pam.d"}, []string{"/var/log/wtmp"})
	l, err := OpenLocal("/", func() []domainid.Asset { return assets })
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		l.Resolve(b.Context())
	}
	l.Release()
}
