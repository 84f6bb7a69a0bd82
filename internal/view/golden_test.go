// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestGolden(t *testing.T) {
	absent := newHost()
	absent.Kernel.Landlock, absent.Kernel.ABI = scan.NotBuilt, 0
	absent.process(1, 0, "init", free())
	disabled := newHost()
	disabled.Kernel.Landlock, disabled.Kernel.ABI = scan.Disabled, 0
	disabled.process(1, 0, "init", free())
	nested := shells()
	nested.Source.PIDNS = "nested"

	tree := func(o Options) func(io.Writer, *scan.Snapshot) error {
		return func(w io.Writer, s *scan.Snapshot) error { return Tree(w, s, o) }
	}
	domains := func(o Options) func(io.Writer, *scan.Snapshot) error {
		return func(w io.Writer, s *scan.Snapshot) error { return Domains(w, s, o) }
	}
	asJSON := func(o JSONOptions) func(io.Writer, *scan.Snapshot) error {
		return func(w io.Writer, s *scan.Snapshot) error { return JSON(w, s, o) }
	}
	vim := func(p *scan.Process) bool { return p.Comm.String() == "vim" }
	for _, test := range []struct {
		file  string
		host  *host
		write func(io.Writer, *scan.Snapshot) error
	}{
		{"shells.tree.txt", shells(), tree(Options{})},
		{"shells.tree-all.txt", shells(), tree(Options{All: true})},
		{"shells.tree-ascii.txt", shells(), tree(Options{All: true, ASCII: true})},
		{"shells.tree-keep.txt", shells(), tree(Options{Keep: vim})},
		{"shells.domains.txt", shells(), domains(Options{})},
		{"shells.domains-ascii.txt", shells(), domains(Options{ASCII: true})},
		{"shells.json", shells(), asJSON(JSONOptions{})},
		{"shells.summary.json", shells(), asJSON(JSONOptions{Summary: true})},
		{"mixed.tree.txt", mixed(), tree(Options{})},
		{"mixed.tree-all.txt", mixed(), tree(Options{All: true})},
		{"mixed.tree-ascii.txt", mixed(), tree(Options{ASCII: true, Width: 80})},
		{"mixed.domains.txt", mixed(), domains(Options{Width: 100})},
		{"mixed.json", mixed(), asJSON(JSONOptions{})},
		{"nested.tree.txt", nested, tree(Options{})},
		{"empty.tree.txt", &host{}, tree(Options{})},
		{"empty.domains.txt", &host{}, domains(Options{})},
		{"empty.json", &host{scan.Snapshot{Source: newHost().Source}}, asJSON(JSONOptions{})},
		{"absent.tree.txt", absent, tree(Options{})},
		{"absent.json", absent, asJSON(JSONOptions{})},
		{"disabled.tree-all.txt", disabled, tree(Options{All: true})},
	} {
		t.Run(test.file, func(t *testing.T) {
			var got bytes.Buffer
			if err := test.write(&got, &test.host.Snapshot); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", test.file)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
			}
		})
	}
}
