// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/resolver"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

var update = flag.Bool("update", false, "write the table of programs in docs/assets.md anew")

const (
	pageFile   = "../../docs/assets.md"
	assetsFile = "../../deploy/packaging/assets.yml"
)

// scanAssets makes a scan that also looks at what the shipped assets are in a root directory.
// On a busy machine one may be looked at for too long: then it is looked at again.
func scanAssets(t *testing.T, source *taskiter.Source, root string) (*scan.Snapshot, error) {
	t.Helper()
	config, err := policy.Load(assetsFile)
	if err != nil {
		return nil, err
	}
	local, err := resolver.OpenLocal(root, func() []domainid.Asset { return config.Assets })
	if err != nil {
		return nil, err
	}
	defer local.Close()
	source.Resolve(local)
	defer source.Resolve(nil)
	for began := time.Now(); ; {
		snap, err := source.Scan(t.Context())
		if err != nil || time.Since(began) > patience || !slices.ContainsFunc(snap.Objects,
			func(o domainid.Object) bool { return o.Kind == domainid.ObjectUnreadable }) {
			return snap, err
		}
	}
}

// byKernel is the cell of an asset that no sandbox on this kernel keeps anybody from: on
// another kernel that may be another one.
const byKernel = "kernel"

// page is the table of programs in docs/assets.md: a row for each asset, and a column for each
// program. The first row has their names.
type page struct {
	before, after string
	rows          [][]string
}

func readPage(t *testing.T) *page {
	t.Helper()
	text, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	const begin = "\n| asset | "
	at := strings.Index(string(text), begin+Catalog()[0].Name+" |")
	if at < 0 {
		t.Fatalf("%s has no table of programs", pageFile)
	}
	table, after, _ := strings.Cut(string(text[at+1:]), "\n\n")
	p := &page{before: string(text[:at+1]), after: "\n\n" + after}
	for line := range strings.SplitSeq(table, "\n") {
		p.rows = append(p.rows, strings.Split(strings.Trim(line, "| "), " | "))
	}
	for _, name := range p.rows[0][1:] {
		if !slices.ContainsFunc(Catalog(), func(p Program) bool { return p.Name == name }) {
			t.Errorf("%s has a column of %q, which is not among the programs", pageFile, name)
		}
	}
	return p
}

// check holds the column of a program, if it has one, against what one of its tasks reaches.
func (p *page) check(t *testing.T, program string, snap *scan.Snapshot, tid int32) {
	t.Helper()
	column := slices.Index(p.rows[0], program)
	if column < 0 {
		return
	}
	rows := p.rows[2:]
	at := slices.IndexFunc(snap.Tasks, func(task scan.Task) bool { return task.TID == tid })
	reached := snap.Meaning().Reached(snap.Tasks[at].Domain, snap.Tasks[at].Scene)
	if len(rows) != len(reached) {
		t.Fatalf("%s has %d rows, want one for each of %d assets", pageFile, len(rows), len(reached))
	}
	for i, row := range rows {
		is := cell(&reached[i])
		switch was := row[column]; {
		case row[0] != snap.Assets[i].Name:
			t.Errorf("%s: row %d is of %q, want %q", pageFile, i+1, row[0], snap.Assets[i].Name)
		case *update:
			row[column] = is
		case was != is && was != byKernel && is != byKernel:
			t.Errorf("%s: %s: %s, was %s: go test ./test/programs -update, and read it",
				program, row[0], is, was)
		}
	}
}

func (p *page) write(t *testing.T) {
	t.Helper()
	text := p.before
	for i, row := range p.rows {
		text += "| " + strings.Join(row, " | ") + " |"
		if i < len(p.rows)-1 {
			text += "\n"
		}
	}
	if err := os.WriteFile(pageFile, []byte(text+p.after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cell says what is concluded of an asset.
func cell(r *domainid.Reached) string {
	rights := "`" + strings.Join(access.Names(r.Rights), "`, `") + "`"
	switch {
	case r.Reach == domainid.OutOfReach:
		return "kept"
	case r.Reach != domainid.WithinReach:
		return r.Reach.String()
	case r.Reason == domainid.KernelCannot:
		return byKernel
	case r.Reason == domainid.RulesGrant:
		return "no: a rule grants " + rights
	default:
		return "no: " + rights
	}
}
