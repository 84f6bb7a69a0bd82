// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sys/unix"
)

// maxFiles is the number of files that one configuration can have.
const maxFiles = 1000

// Load reads a configuration and the rule files that it names. An error is a
// [*LoadError] with everything that is wrong in all of them, and then there is no
// configuration: rules are in force together or not at all.
func Load(file string) (*Config, error) {
	l := newLoader()
	d := &decoder{file: file}
	var patterns []*yaml.Node
	if text, ok := l.read(d, nil); ok {
		if n := d.document(text); n != nil {
			patterns = d.main(n, l.config)
		}
	}
	files := l.find(d, patterns)
	l.take(d)
	return l.rest(files)
}

// LoadFiles reads the rule files that patterns name, as rule_files do, without a
// main file. If they name none, there are no rules. Otherwise it is as [Load].
func LoadFiles(patterns []string) (*Config, error) {
	l := newLoader()
	d := &decoder{file: "rule_files"}
	nodes := make([]*yaml.Node, len(patterns))
	for i, pattern := range patterns {
		nodes[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: pattern}
	}
	files := l.find(d, nodes)
	d.warnings = nil // nobody asked for just these
	l.take(d)
	return l.rest(files)
}

func newLoader() *loader { return &loader{config: Default(), hash: sha256.New()} }

// rest reads rule files, and returns all that was read.
func (l *loader) rest(files []ruleFile) (*Config, error) {
	for _, f := range files {
		d := &decoder{file: f.path}
		if text, ok := l.read(d, f.named); ok {
			if n := d.document(text); n != nil {
				d.ruleFile(n, l.config)
			}
		}
		l.take(d)
	}
	l.unique()
	if len(l.problems) > 0 {
		return nil, &LoadError{l.problems}
	}
	for i, m := range l.config.seenBy().ancestors {
		m.ancestry = i
	}
	l.config.Warnings = append(l.config.Warnings, l.config.letOut()...)
	l.config.Hash = binary.BigEndian.Uint64(l.hash.Sum(nil)) >> 16
	return l.config, nil
}

type loader struct {
	config   *Config
	problems []Problem
	hash     hash.Hash
}

func (l *loader) take(d *decoder) {
	l.problems = append(l.problems, d.problems...)
	l.config.Warnings = append(l.config.Warnings, d.warnings...)
}

// read returns the text of a decoder's file; named is where another file names it.
func (l *loader) read(d *decoder, named *mention) (string, bool) {
	text, err := readFile(d.file)
	if err != nil {
		p := Problem{File: d.file, Message: err.Error()}
		if named != nil {
			p = Problem{named.file, named.node.Line, named.node.Column, err.Error()}
		}
		d.problems = append(d.problems, p)
		return "", false
	}
	l.config.Files = append(l.config.Files, d.file)
	fmt.Fprintf(l.hash, "%d ", len(text))
	l.hash.Write(text)
	return string(text), true
}

// readFile reads a regular file of bounded size: nothing that blocks or never ends.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("reading rules: %s is not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	if len(text) > maxFileSize {
		return nil, fmt.Errorf("reading rules: %s has more than %d bytes", path, maxFileSize)
	}
	return text, nil
}

// mention is where a file is named.
type mention struct {
	file string
	node *yaml.Node
}

type ruleFile struct {
	path  string
	named *mention
}

// find returns the files that patterns name, each once, in the order of the
// patterns and then of names. Relative ones begin at the main file's directory.
func (l *loader) find(d *decoder, patterns []*yaml.Node) []ruleFile {
	var files []ruleFile
	seen := map[string]bool{}
	if main, err := filepath.Abs(d.file); err == nil {
		seen[main] = true
	}
	for _, n := range patterns {
		pattern, err := filepath.Abs(n.Value)
		if !filepath.IsAbs(n.Value) {
			pattern, err = filepath.Abs(filepath.Join(filepath.Dir(d.file), n.Value))
		}
		if err != nil {
			d.fail(n, "%s: %v", quote(n.Value), err)
			continue
		}
		l.config.Patterns = append(l.config.Patterns, pattern)
		for _, path := range expand(d, n, pattern) {
			if seen[path] {
				continue
			}
			seen[path] = true
			if len(files) == maxFiles {
				d.fail(n, "more than %d files", maxFiles)
				return files
			}
			files = append(files, ruleFile{path, &mention{d.file, n}})
		}
	}
	return files
}

// expand returns the files that one pattern names. A directory that is not there
// has none; one that cannot be read is a problem, as rules would be missing.
func expand(d *decoder, n *yaml.Node, pattern string) []string {
	const meta = `*?[\`
	dir, name := filepath.Split(pattern)
	switch {
	case strings.ContainsAny(dir, meta):
		d.fail(n, "%s: a glob can be in the last part of the path only", quote(n.Value))
		return nil
	case !strings.ContainsAny(name, meta):
		return []string{pattern}
	}
	if _, err := filepath.Match(name, ""); err != nil {
		d.fail(n, "%s: %v", quote(n.Value), err)
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.fail(n, "%v", err)
	}
	var paths []string
	for _, e := range entries {
		hidden := strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(name, ".")
		if ok, err := filepath.Match(name, e.Name()); ok && err == nil && !hidden {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	// A new host has an empty directory for such files.
	if len(paths) == 0 && (err != nil || len(entries) > 0) {
		d.warn(n, "%s names no file", quote(n.Value))
	}
	slices.Sort(paths)
	return paths
}

// unique finds rules with the name of an earlier one, over all files.
func (l *loader) unique() {
	names := map[string]*Rule{}
	for i := range l.config.Rules {
		r := &l.config.Rules[i]
		first := names[r.Name]
		switch {
		case r.Name == "":
		case first == nil:
			names[r.Name] = r
		default:
			l.problems = append(l.problems, Problem{r.File, r.Line, r.Column,
				fmt.Sprintf("a second rule %s: the first is at %s:%d", quote(r.Name), first.File, first.Line)})
		}
	}
}
