// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestGolden(t *testing.T) {
	absent := hosts.New()
	absent.Kernel.Landlock, absent.Kernel.ABI = scan.NotBuilt, 0
	absent.Process(1, 0, "init", hosts.Free())
	disabled := hosts.New()
	disabled.Kernel.Landlock, disabled.Kernel.ABI = scan.Disabled, 0
	disabled.Process(1, 0, "init", hosts.Free())
	nested := hosts.Shells()
	nested.Source.PIDNS = "nested"

	tree := func(o Options) func(io.Writer, *scan.Snapshot) error {
		return func(w io.Writer, s *scan.Snapshot) error { return Tree(w, s, o) }
	}
	domains := func(o Options) func(io.Writer, *scan.Snapshot) error {
		return func(w io.Writer, s *scan.Snapshot) error { return Domains(w, s, o) }
	}
	vim := func(p *scan.Process) bool { return p.Comm.String() == "vim" }
	for _, test := range []struct {
		file  string
		host  *hosts.Host
		write func(io.Writer, *scan.Snapshot) error
	}{
		{"shells.tree.txt", hosts.Shells(), tree(Options{})},
		{"shells.tree-all.txt", hosts.Shells(), tree(Options{All: true})},
		{"shells.tree-ascii.txt", hosts.Shells(), tree(Options{All: true, Style: table.Style{ASCII: true}})},
		{"shells.tree-keep.txt", hosts.Shells(), tree(Options{Keep: vim})},
		{"shells.domains.txt", hosts.Shells(), domains(Options{})},
		{"shells.domains-ascii.txt", hosts.Shells(), domains(Options{Style: table.Style{ASCII: true}})},
		{"mixed.tree.txt", hosts.Mixed(), tree(Options{})},
		{"mixed.tree-all.txt", hosts.Mixed(), tree(Options{All: true})},
		{"mixed.tree-ascii.txt", hosts.Mixed(), tree(Options{Style: table.Style{ASCII: true, Width: 80}})},
		{"mixed.domains.txt", hosts.Mixed(), domains(Options{Style: table.Style{Width: 100}})},
		{"nested.tree.txt", nested, tree(Options{})},
		{"empty.tree.txt", &hosts.Host{}, tree(Options{})},
		{"empty.domains.txt", &hosts.Host{}, domains(Options{})},
		{"absent.tree.txt", absent, tree(Options{})},
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
