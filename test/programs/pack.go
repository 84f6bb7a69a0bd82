// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
)

// ForGuests returns the programs of which few files make a tree.
func ForGuests() []Program {
	return slices.DeleteFunc(Catalog(), func(p Program) bool { return len(p.Uses) == 0 })
}

// FilesForGuests returns the paths of all files, below the tree, that the programs for
// guests need: they are a tree of their own, in which there are no links.
func (t *Tree) FilesForGuests(ctx context.Context) ([]string, error) {
	files := map[string]bool{versions: true, "etc/passwd": true, "etc/group": true, "etc/hosts": true}
	uses := []string{"usr/bin/sh", "usr/bin/strace"}
	for _, p := range ForGuests() {
		uses = append(uses, p.Uses...)
	}
	for _, pattern := range uses {
		paths, err := filepath.Glob(filepath.Join(t.Dir, pattern))
		if err != nil || len(paths) == 0 {
			return nil, errors.Join(err, fmt.Errorf("nothing is %s in %s", pattern, t.Dir))
		}
		for _, path := range paths {
			if err := t.add(ctx, files, path); err != nil {
				return nil, err
			}
		}
	}
	return slices.Sorted(maps.Keys(files)), nil
}

// add adds a file, and the libraries of a program.
func (t *Tree) add(ctx context.Context, files map[string]bool, path string) error {
	below, err := filepath.Rel(t.Dir, path)
	if err != nil || files[below] {
		return err
	}
	files[below] = true
	if !dynamic(path) {
		return nil
	}
	libraries, err := t.libraries(ctx, path)
	for _, l := range libraries {
		files[l] = true
	}
	return err
}

// dynamic reports whether a file is a program that needs the dynamic linker.
func dynamic(path string) bool {
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

// library is a line of what the dynamic linker lists.
var library = regexp.MustCompile(`(?m)^\t(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$`)

// libraries asks the tree's own dynamic linker for the libraries of a program, itself
// among them.
func (t *Tree) libraries(ctx context.Context, path string) ([]string, error) {
	linkers, err := filepath.Glob(filepath.Join(t.Dir, "usr/lib*/ld-linux*.so.*"))
	if err != nil || len(linkers) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s has no dynamic linker", t.Dir))
	}
	dirs, err := filepath.Glob(filepath.Join(t.Dir, "usr/lib/*-linux-gnu"))
	if err != nil || len(dirs) != 1 {
		return nil, errors.Join(err, fmt.Errorf("%s has %d directories of libraries", t.Dir, len(dirs)))
	}
	cmd := exec.CommandContext(ctx, linkers[0], "--library-path", dirs[0], "--list", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("libraries of %s: %w", path, err)
	}
	var all []string
	for _, m := range library.FindAllStringSubmatch(string(out), -1) {
		below, err := filepath.Rel(t.Dir, m[1])
		if err != nil || !filepath.IsLocal(below) {
			below = filepath.Join("usr", m[1]) // the linker, by the name in the program
		}
		all = append(all, below)
	}
	return all, nil
}
