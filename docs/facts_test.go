// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

// everything is what sources fill.
var everything = []any{scan.Process{}, scan.Task{}, scan.Worker{}, scan.Snapshot{}}

// TestEveryFactHasItsPlaces: each member of a snapshot's types is set by both sources and
// used by explain, or stands here with the reason. Who adds a fact and forgets a place
// finds its name here. That recorded snapshots keep it is tested where they are read.
func TestEveryFactHasItsPlaces(t *testing.T) {
	workloads := "internal/workload sets it, for every source"
	for _, place := range []struct {
		name  string
		sets  bool
		types []any
		not   map[string]string
	}{
		{"taskiter", true, everything, map[string]string{
			"Process.Workload": workloads, "Snapshot.Workloads": workloads,
			"Snapshot.Part": "the API sets it",

			"Task.Reason": "a record of a task is never in doubt, only all of a process",
		}},
		{"procattr", true, everything, map[string]string{
			"Process.Workload": workloads, "Snapshot.Workloads": workloads,
			"Snapshot.Part":          "the API sets it",
			"Process.Credentials":    "what it reads of status is too old for a guard",
			"Snapshot.Views":         "the attribute shows no rules",
			"Snapshot.DomainsUnread": "it has no budget for domains",
			"Snapshot.Assets":        "scan.Asking sets it, for every source",
			"Task.Scene":             "the attribute shows no rules",
			"Snapshot.Objects":       "the attribute shows no rules",
			"Snapshot.Scenes":        "the attribute shows no rules",
		}},
		{"internal/explain", false, []any{scan.Process{}}, map[string]string{
			"Process.PPID":         "tree shows it",
			"Process.Exec":         "it names a program of the process, and says nothing of it",
			"Process.CgroupID":     "Snapshot.WorkloadOf stands for it",
			"Process.CgroupV1ID":   "Snapshot.WorkloadOf stands for it",
			"Process.Workload":     "by Snapshot.WorkloadOf",
			"Process.UIDsDiffer":   "by Snapshot.UIDs",
			"Process.MountNSOwner": "ExeOrigin stands for it",
			"Process.Credentials":  "for the guard of the API alone",
			"Process.Depth":        "by Snapshot.SandboxOf",
			"Process.MaxDepth":     "by Snapshot.SandboxOf",
			"Process.FirstTask":    "by Snapshot.TasksOf",
			"Process.FirstWorker":  "by Snapshot.WorkersOf",
			"Process.NumWorkers":   "by Snapshot.WorkersOf",
		}},
	} {
		t.Run(place.name, func(t *testing.T) {
			u := usesOf(t, place.name)
			found := u.read
			if place.sets {
				found = u.set
			}
			excuses := 0
			for _, of := range place.types {
				for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
					name := reflect.TypeOf(of).Name() + "." + f.Name
					reason, excused := place.not[name]
					if excused {
						excuses++
					}
					switch {
					case !f.IsExported():
					case !found[name] && !excused:
						t.Errorf("scan.%s has no place in %s: its comment in scan names the files", name, place.name)
					case found[name] && excused:
						t.Errorf("scan.%s has a place here, but is excused: %s", name, reason)
					}
				}
			}
			if excuses != len(place.not) {
				t.Errorf("%d of %d excuses are of no member", len(place.not)-excuses, len(place.not))
			}
		})
	}
}

// uses are members of types of package scan, "Process.PID", that a package sets, and that
// it uses in any way.
type uses struct{ set, read map[string]bool }

// usesOf type-checks a package.
func usesOf(t *testing.T, name string) uses {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=GoFiles", "../"+name).Output()
	if err != nil {
		t.Fatal(err)
	}
	var l struct{ GoFiles []string }
	if err := json.Unmarshal(out, &l); err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, f := range l.GoFiles {
		parsed, err := parser.ParseFile(fset, filepath.Join("..", name, f), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, parsed)
	}
	exported := map[string]string{}
	for _, l := range list(t, name, "-export") {
		exported[l.ImportPath] = l.Export
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exported[path]) }
	info := &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", open)}
	if _, err := config.Check(module+name, fset, files, info); err != nil {
		t.Fatal(err)
	}
	u := uses{map[string]bool{}, map[string]bool{}}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool { u.look(n, info); return true })
	}
	return u
}

func (u uses) look(n ast.Node, info *types.Info) {
	switch n := n.(type) {
	case *ast.CompositeLit:
		of := scanType(info.Types[n].Type)
		for _, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok && of != "" {
				u.set[of+"."+kv.Key.(*ast.Ident).Name] = true
			}
		}
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			if s, ok := left.(*ast.SelectorExpr); ok && info.Selections[s] != nil {
				u.set[scanType(info.Selections[s].Recv())+"."+s.Sel.Name] = true
			}
		}
	case *ast.SelectorExpr:
		s := info.Selections[n]
		if s == nil {
			return
		}
		of := scanType(s.Recv())
		u.read[of+"."+n.Sel.Name] = true
		if of == "Process" && n.Sel.Name == "SetExe" {
			u.set["Process.Exe"], u.set["Process.ExeDeleted"] = true, true
		}
	}
}

// scanType returns the name of a type of package scan, or of a pointer to it.
func scanType(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == module+"scan" {
		return n.Obj().Name()
	}
	return ""
}
