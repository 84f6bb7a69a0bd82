// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// Tools are the files that a tree is made with, and the Debian packages that have
// them.
var Tools = map[string]string{
	"mmdebstrap": "mmdebstrap", "npm": "npm",
	"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}

// suite is the first release of Debian that has all of the programs.
const suite = "trixie"

// newer is the release that has the programs that suite lacks.
const newer = "sid"

// fromNewer are the packages of those.
var fromNewer = []string{"landrun"}

// beside are packages that programs need, or the scripts that start them; programs
// that open windows do so on a display of libgtk-3-bin.
var beside = []string{
	"base-files", "coreutils", "dash", "dbus-daemon", "dbus-bin", "libgtk-3-bin", "strace",
}

// made is made in the unpacked tree by its own programs, as the packages' scripts
// would have done.
const made = "update-mime-database /usr/share/mime\n" +
	"/usr/lib/*/glib-2.0/glib-compile-schemas /usr/share/glib-2.0/schemas"

// files are put into the tree; no package has them. Some are there to be kept from.
var files = map[string]string{
	"etc/passwd":                   "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/sh\n",
	"etc/group":                    "root:x:0:\nnogroup:x:65534:\n",
	"etc/hosts":                    "127.0.0.1 localhost\n",
	"etc/machine-id":               "00000000000000000000000000000001\n",
	"etc/shadow":                   "root:*:20000:0:99999:7:::\n",
	"etc/sudoers":                  "root ALL=(ALL:ALL) ALL\n",
	"etc/crontab":                  "SHELL=/bin/sh\n",
	"etc/ssh/ssh_host_ed25519_key": "no key\n",
}

// versions is the tree's file with the names and versions of its packages.
const versions = "versions"

// keep is how long a tree that nobody uses stays in the cache.
const keep = 30 * 24 * time.Hour

// Tree is an unpacked Debian that has the programs.
type Tree struct {
	Dir string
	// Versions are those of its packages by name.
	Versions map[string]string
}

// OpenTree returns the tree in the cache directory, and makes it there first if need
// be: that needs root, a mirror and a minute. The mirror is the machine's own.
func OpenTree(ctx context.Context, cache string) (*Tree, error) {
	dir := filepath.Join(cache, key())
	now := time.Now()
	used := os.Chtimes(dir, now, now)
	if errors.Is(used, os.ErrNotExist) {
		used = makeTree(ctx, cache, dir)
	}
	if used != nil {
		return nil, fmt.Errorf("no tree of programs is in %s, and none could be made: %w", cache, used)
	}
	if err := prune(cache, now); err != nil {
		return nil, err
	}
	return LoadTree(dir)
}

// LoadTree returns a tree that is there.
func LoadTree(dir string) (*Tree, error) {
	text, err := os.ReadFile(filepath.Join(dir, versions))
	if err != nil {
		return nil, err
	}
	t := &Tree{Dir: dir, Versions: map[string]string{}}
	for line := range strings.Lines(string(text)) {
		name, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		t.Versions[name] = version
	}
	return t, nil
}

// packages are all that are asked for.
func packages() []string {
	all := slices.Clone(beside)
	for _, p := range Catalog() {
		if p.NPM == "" {
			all = append(all, p.Package)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// fromNPM are what is asked for there, by the name of the package.
func fromNPM() map[string]string {
	all := map[string]string{}
	for _, p := range Catalog() {
		if p.NPM != "" {
			all[p.Package] = p.NPM
		}
	}
	return all
}

// key names all that a tree is made from, except the mirror's state.
func key() string {
	h := sha256.New()
	// Maps are printed in order.
	fmt.Fprintf(h, "%q %q %q %q %q", packages(), fromNewer, made, files, fromNPM())
	return suite + "-" + hex.EncodeToString(h.Sum(nil))[:16]
}

func makeTree(ctx context.Context, cache, dir string) error {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(cache, "making-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	root := filepath.Join(tmp, "root")
	if err := unpack(ctx, root); err != nil {
		return err
	}
	if err := noteVersions(root); err != nil {
		return err
	}
	for name, spec := range fromNPM() {
		if err := unpackNPM(ctx, root, tmp, name, spec); err != nil {
			return err
		}
	}
	for name, text := range files {
		file := filepath.Join(root, name)
		err := errors.Join(
			os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644))
		if err != nil {
			return err
		}
	}
	if err := run(ctx, "chroot", root, "/usr/bin/sh", "-e", "-c", made); err != nil {
		return err
	}
	if err := os.Rename(root, dir); !errors.Is(err, os.ErrExist) { // another run was faster
		return err
	}
	return nil
}

// prune removes what nobody used for long from the cache directory: each list of
// packages makes another tree, and lists change.
func prune(cache string, now time.Time) error {
	entries, err := os.ReadDir(cache)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > keep {
			errs = append(errs, os.RemoveAll(filepath.Join(cache, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// unpack unpacks the packages and what they depend on. None of their scripts runs.
func unpack(ctx context.Context, root string) error {
	list, err := aptroot.SuiteList(ctx, suite)
	if err != nil {
		return err
	}
	more, err := aptroot.SuiteList(ctx, newer)
	if err != nil {
		return err
	}
	include := packages()
	for i, name := range include {
		if slices.Contains(fromNewer, name) {
			include[i] = name + "/" + newer
		}
	}
	settings, err := aptroot.MachineSettings(ctx)
	if err != nil {
		return err
	}
	args := []string{
		"--variant=extract", "--mode=root", "--format=directory",
		"--include=" + strings.Join(include, ","),
		fmt.Sprintf("--aptopt=APT::Default-Release %q", suite),
		// The names of the packages' files say which versions these are.
		"--skip=cleanup/apt",
		// The mirror's index may be older than its own idea of fresh; signatures
		// are checked as always.
		`--aptopt=Acquire::Check-Valid-Until "false"`,
	}
	for setting := range strings.Lines(settings) {
		args = append(args, "--aptopt="+strings.TrimSpace(setting))
	}
	return run(ctx, "mmdebstrap", append(args, suite, root,
		strings.TrimSpace(list), strings.TrimSpace(more))...)
}

// noteVersions writes down which packages were unpacked, and removes what apt left.
func noteVersions(root string) error {
	debs, err := filepath.Glob(filepath.Join(root, "var/cache/apt/archives/*.deb"))
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, deb := range debs {
		f := strings.Split(filepath.Base(deb), "_")
		if len(f) != 3 {
			return fmt.Errorf("%s is not named as packages are", deb)
		}
		fmt.Fprintf(&b, "%s %s\n", f[0], strings.ReplaceAll(f[1], "%3a", ":"))
	}
	if b.Len() == 0 {
		return errors.New("mmdebstrap left no packages")
	}
	return errors.Join(
		os.WriteFile(filepath.Join(root, versions), []byte(b.String()), 0o644),
		os.RemoveAll(filepath.Join(root, "var/cache/apt")),
		os.RemoveAll(filepath.Join(root, "var/lib/apt")),
	)
}

// unpackNPM unpacks a package of npm where npm installs those for all users. Nothing of it runs.
func unpackNPM(ctx context.Context, root, tmp, name, spec string) error {
	if err := run(ctx, "npm", "pack", "--silent", "--pack-destination", tmp, spec); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("npm pack %s made %q: %w", spec, archives, err)
	}
	dir := filepath.Join(root, "usr/lib/node_modules", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := run(ctx, "tar", "-C", dir, "--no-same-owner", "--strip-components=1", "-xzf", archives[0]); err != nil {
		return err
	}
	_, version, _ := strings.Cut(spec[1:], "@")
	f, err := os.OpenFile(filepath.Join(root, versions), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s\n", name, version)
	return errors.Join(err, f.Close(), os.Remove(archives[0]))
}

// run runs a program; the end of what it said is in the error.
func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), "LC_ALL=C", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, text[max(0, len(text)-4000):])
	}
	return nil
}
