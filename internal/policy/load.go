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
	return settled(file, func(l *loader) (*Config, error) {
		d := &decoder{file: file}
		return l.main(d, l.text(d, nil, file))
	})
}

// Read is as [Load], of a text that is in no file: name stands for it in problems. Relative
// paths in it begin at the working directory.
func Read(name string, r io.Reader) (*Config, error) {
	text, err := readText(name, r)
	return settled(name, func(l *loader) (*Config, error) {
		d := &decoder{file: name}
		if err != nil {
			d.fail(nil, "reading rules: %w", err)
			return l.rest(d, nil)
		}
		return l.main(d, l.took(name, text))
	})
}

// LoadFiles reads the rule files that patterns name, as rule_files do, without a
// main file. If they name none, there are no rules. Otherwise it is as [Load].
func LoadFiles(patterns []string) (*Config, error) {
	nodes := make([]*yaml.Node, len(patterns))
	for i, pattern := range patterns {
		nodes[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: pattern}
	}
	const name = "rule_files"
	return settled(name, func(l *loader) (*Config, error) {
		d := &decoder{file: name}
		files := l.find(d, nodes)
		d.warnings = nil // nobody asked for just these
		return l.rest(d, files)
	})
}

func newLoader() *loader { return &loader{config: Default(), hash: sha256.New()} }

type loader struct {
	config  *Config
	hash    hash.Hash
	sources []source
}

// main returns what is in the text of a decoder's file, and in the rule files that it names.
func (l *loader) main(d *decoder, text string) (*Config, error) {
	var patterns []*yaml.Node
	if n := d.document(text); n != nil {
		patterns = d.main(n, l.config)
	}
	return l.rest(d, l.find(d, patterns))
}

// rest reads the rule files that a decoder's file names, and returns all that was read.
func (l *loader) rest(d *decoder, files []ruleFile) (*Config, error) {
	var others decoder
	for _, f := range files {
		others.file = f.path
		if n := others.document(l.text(d, f.at, f.path)); n != nil {
			others.ruleFile(n, l.config)
		}
	}
	problems := append(d.problems, others.problems...)
	problems = append(problems, l.repeated()...)
	problems = append(problems, l.config.resolve(slices.Concat(d.named, others.named),
		slices.Concat(d.asked, others.asked))...)
	if len(problems) > 0 {
		return nil, &LoadError{problems}
	}
	for i, m := range l.config.seenBy().ancestors {
		m.ancestry = i
	}
	l.config.Warnings = slices.Concat(d.warnings, others.warnings, l.config.letOut(),
		l.config.manyGraces(d.file))
	l.config.Hash = binary.BigEndian.Uint64(l.hash.Sum(nil)) >> 16
	return l.config, nil
}

// text returns a file's, and notes that it was read. If that fails there is none, and a
// problem where the file is named.
func (l *loader) text(d *decoder, at *yaml.Node, file string) string {
	text, info, err := readFile(file)
	if info != nil || errors.Is(err, fs.ErrNotExist) {
		l.sources = append(l.sources, source{file, info})
	}
	if err != nil {
		d.fail(at, "reading rules: %w", err)
		return ""
	}
	return l.took(file, text)
}

// took notes the text of a file.
func (l *loader) took(file string, text []byte) string {
	l.config.Files = append(l.config.Files, file)
	fmt.Fprintf(l.hash, "%d ", len(text))
	l.hash.Write(text)
	return string(text)
}

// readFile reads a regular file of bounded size: nothing that blocks or never ends. What the
// file was before is returned if it could be opened.
func readFile(path string) ([]byte, os.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, info, fmt.Errorf("%s is not a regular file", path)
	}
	text, err := readText(path, f)
	return text, info, err
}

func readText(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFileSize+1))
	if len(text) > maxFileSize {
		return nil, fmt.Errorf("%s has more than %d bytes", name, maxFileSize)
	}
	return text, err
}

// ruleFile is a file with rules alone, and where it is named.
type ruleFile struct {
	path string
	at   *yaml.Node
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
			files = append(files, ruleFile{path, n})
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
		d.fail(n, "%w", err)
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
	return paths // os.ReadDir sorts
}

// repeated finds rules with the name of an earlier one, over all files.
func (l *loader) repeated() (problems []Problem) {
	names := map[string]*Rule{}
	for i := range l.config.Rules {
		r := &l.config.Rules[i]
		if first := names[r.Name]; first == nil {
			names[r.Name] = r
		} else if r.Name != "" {
			problems = append(problems, r.problem("a second rule %s: the first is at %s:%d",
				quote(r.Name), first.File, first.Line))
		}
	}
	return problems
}
