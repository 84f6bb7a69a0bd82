// SPDX-License-Identifier: Apache-2.0

package known

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/policy"
)

// Installed is one place where a program is installed.
type Installed struct {
	// Path is the program's, or of npm's packages the directory.
	Path string
	// Package and Version are the package that has it and its version, as the host's database
	// has them; Upstream is the program's own version. They are empty if they are not known.
	Package, Version, Upstream string
}

// Bounds of what is read.
const (
	maxStatus = 64 << 20 // of dpkg's database of packages: a desktop has some 5 MB
	maxList   = 16 << 20 // of the list of one package's files
	maxJSON   = 1 << 20
)

// npmDirs are where npm installs programs for all users.
var npmDirs = [...]string{"/usr/lib/node_modules", "/usr/local/lib/node_modules"}

// Look returns, by their names, where programs are installed below a root directory: at the paths
// that are known, and nowhere else. Versions are those of dpkg and npm. An error means that it
// could not be looked at all.
func Look(root string, programs []policy.Known) (map[string][]Installed, error) {
	r, err := openRoot(root)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	all := map[string][]Installed{}
	wanted := map[string]string{} // by the names of packages
	var errs []error
	for i := range programs {
		k := &programs[i]
		for _, p := range k.Paths {
			is, err := r.executable(p)
			if err != nil {
				errs = append(errs, err)
			}
			if is {
				all[k.Name] = append(all[k.Name], Installed{Path: p})
				for _, deb := range k.Debs {
					wanted[deb] = ""
				}
			}
		}
		if k.NPM != "" {
			found, err := r.npm(k.NPM)
			if err != nil {
				errs = append(errs, err)
			}
			all[k.Name] = append(all[k.Name], found...)
		}
		if len(all[k.Name]) == 0 {
			delete(all, k.Name)
		}
	}
	r.dpkg(wanted)
	for i := range programs {
		k := &programs[i]
		for j := range all[k.Name] {
			r.version(&all[k.Name][j], k.Debs, wanted)
		}
	}
	return all, errors.Join(errs...)
}

// hostRoot is a root directory. No link leads out of it.
type hostRoot struct{ *os.File }

func openRoot(name string) (hostRoot, error) {
	f, err := os.OpenFile(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	return hostRoot{f}, err
}

// open opens a path below the root directory.
func (r hostRoot) open(name string, flags uint64) (*os.File, error) {
	fd, err := unix.Openat2(int(r.Fd()), strings.TrimPrefix(name, "/"), &unix.OpenHow{
		Flags:   flags | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// executable reports whether a program is at a path.
func (r hostRoot) executable(name string) (bool, error) {
	f, err := r.open(name, unix.O_PATH)
	if absent(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0, err
}

// absent reports whether nothing is at a path.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
}

// read calls use with a regular file.
func (r hostRoot) read(name string, limit int64, use func(io.Reader) error) error {
	f, err := r.open(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() > limit:
		return fmt.Errorf("%s: want a regular file of at most %d bytes", name, limit)
	}
	return use(io.LimitReader(f, limit))
}

// npm returns where a package of npm is installed for all users.
func (r hostRoot) npm(name string) (all []Installed, errs error) {
	for _, dir := range npmDirs {
		at := Installed{Path: path.Join(dir, name), Package: name}
		var about struct {
			Version string `json:"version"`
		}
		err := r.read(path.Join(at.Path, "package.json"), maxJSON, func(f io.Reader) error {
			return json.NewDecoder(f).Decode(&about)
		})
		switch {
		case absent(err):
			continue
		case err != nil:
			errs = err // it is there, in whatever version
		default:
			at.Version, at.Upstream = about.Version, about.Version
		}
		all = append(all, at)
	}
	return all, errs
}
