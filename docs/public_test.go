// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/landlockd/landlockd/"

// public are the packages that other programs may import, and the modules beside Go's own
// library that each brings with it.
var public = map[string][]string{
	"access":   nil,
	"domainid": nil,
	"scan":     {"golang.org/x/sys"},
	"procattr": {"golang.org/x/sys"},
	"taskiter": {"golang.org/x/sys", "github.com/cilium/ebpf"},
	"collector": {
		"golang.org/x/sys", "github.com/prometheus/client_golang",
		"github.com/prometheus/client_model", "github.com/prometheus/common",
		"github.com/prometheus/procfs", "github.com/beorn7/perks", "github.com/cespare/xxhash/v2",
		"github.com/munnerz/goautoneg", "google.golang.org/protobuf",
	},
}

// TestStabilityNamesPublicPackages: docs/stability.md promises these packages and no others, and
// names no schema that there is not.
func TestStabilityNamesPublicPackages(t *testing.T) {
	text := string(read(t, "stability.md"))
	_, part, _ := strings.Cut(text, "\n## Go packages\n")
	promised, _, found := strings.Cut(part, " follow Go's rules")
	if !found {
		t.Fatal("stability.md does not say which packages follow Go's rules")
	}
	var names []string
	for _, m := range code.FindAllString(promised, -1) {
		names = append(names, strings.Trim(m, "`"))
	}
	if want := slices.Sorted(maps.Keys(public)); !slices.Equal(names, want) {
		t.Errorf("it promises %q, want %q", names, want)
	}
	for _, name := range regexp.MustCompile(`[a-z-]+-v1\.json`).FindAllString(text, -1) {
		if _, err := os.Stat("schema/" + name); err != nil {
			t.Error(err)
		}
	}
}

// listed is what go list -json prints of a package.
type listed struct {
	ImportPath, Export string
	Standard           bool
	Module             *struct{ Path string }
}

// list runs go list for a package and all that it imports.
func list(t *testing.T, name string, flags ...string) []listed {
	t.Helper()
	args := append([]string{"list", "-deps", "-json=ImportPath,Export,Standard,Module"}, flags...)
	cmd := exec.Command("go", append(args, "../"+name)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var l listed
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// TestImportsAreSmall: whoever imports a public package gets no more modules than stand
// here, and no fewer, so that the list is true.
func TestImportsAreSmall(t *testing.T) {
	for name, want := range public {
		t.Run(name, func(t *testing.T) {
			var modules []string
			for _, l := range list(t, name) {
				if !l.Standard && l.Module != nil && l.Module.Path+"/" != module &&
					!slices.Contains(modules, l.Module.Path) {
					modules = append(modules, l.Module.Path)
				}
			}
			slices.Sort(modules)
			if want = slices.Sorted(slices.Values(want)); !slices.Equal(modules, want) {
				t.Errorf("it imports %q, want %q", modules, want)
			}
		})
	}
}

// TestPublicPackagesHaveNoInternalTypes: whoever imports a public package can name the
// type of everything that it exports.
func TestPublicPackagesHaveNoInternalTypes(t *testing.T) {
	for name := range public {
		t.Run(name, func(t *testing.T) {
			pkg := load(t, name)
			e := exports{pkg: pkg}
			for _, name := range pkg.Scope().Names() {
				if o := pkg.Scope().Lookup(name); o.Exported() {
					e.object(o)
				}
			}
			for _, found := range e.found {
				t.Error(found)
			}
			if e.checked < 10 {
				t.Errorf("only %d exported objects were checked", e.checked)
			}
		})
	}
}

// The check itself finds what it is for.
func TestInternalTypesAreFound(t *testing.T) {
	inside := types.NewPackage(module+"internal/x", "x")
	secret := types.NewNamed(types.NewTypeName(token.NoPos, inside, "Secret", nil),
		types.NewStruct(nil, nil), nil)
	pkg := types.NewPackage(module+"open", "open")
	field := func(name string, embedded bool) *types.Var {
		return types.NewField(token.NoPos, pkg, name, types.NewPointer(secret), embedded)
	}
	for want, fields := range map[string][]*types.Var{
		"T.Field": {field("Field", false)}, "T.Secret": {field("Secret", true)}, "": {field("own", false)},
	} {
		e := exports{pkg: pkg}
		name := types.NewTypeName(token.NoPos, pkg, "T", nil)
		types.NewNamed(name, types.NewStruct(fields, nil), nil)
		e.object(name)
		if got := strings.Join(e.found, "\n"); !strings.HasPrefix(got, want) || (got == "") != (want == "") {
			t.Errorf("found %q, want %q", got, want)
		}
	}
	e := exports{pkg: pkg}
	result := types.NewTuple(types.NewVar(token.NoPos, pkg, "", types.NewSlice(secret)))
	e.object(types.NewFunc(token.NoPos, pkg, "F", types.NewSignatureType(nil, nil, nil, nil, result, false)))
	e.object(types.NewTypeName(token.NoPos, pkg, "Alias", secret))
	if len(e.found) != 2 {
		t.Errorf("found %q, want a function and an alias", e.found)
	}
}

// load returns the types of a package, as the compiler exports them.
func load(t *testing.T, name string) *types.Package {
	t.Helper()
	files := map[string]string{}
	for _, l := range list(t, name, "-export") {
		files[l.ImportPath] = l.Export
	}
	open := func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
	pkg, err := importer.ForCompiler(token.NewFileSet(), "gc", open).Import(module + name)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// exports looks through what a package exports.
type exports struct {
	pkg     *types.Package
	checked int
	found   []string
}

func (e *exports) object(o types.Object) {
	if _, isType := o.(*types.TypeName); !isType {
		e.check(o.Name(), o.Type())
		return
	}
	e.checked++
	named, ok := types.Unalias(o.Type()).(*types.Named)
	if !ok || named.Obj() != o {
		e.check(o.Name(), o.Type())
		return
	}
	for i := range named.NumMethods() {
		if m := named.Method(i); m.Exported() {
			e.check(o.Name()+"."+m.Name(), m.Type())
		}
	}
	e.members(o.Name(), named.Underlying())
}

// members checks the parts of a type that others can get at.
func (e *exports) members(name string, t types.Type) {
	switch t := t.(type) {
	case *types.Struct:
		for i := range t.NumFields() {
			// What is embedded lends its exported methods and fields, whatever its name.
			if f := t.Field(i); f.Exported() || f.Embedded() {
				e.check(name+"."+f.Name(), f.Type())
			}
		}
	case *types.Interface:
		for i := range t.NumMethods() {
			if m := t.Method(i); m.Exported() {
				e.check(name+"."+m.Name(), m.Type())
			}
		}
	default:
		e.check(name, t)
	}
}

// check finds the types of internal packages in a type.
func (e *exports) check(name string, t types.Type) {
	e.checked++
	text := types.TypeString(t, func(p *types.Package) string { return p.Path() })
	if strings.Contains(text, module+"internal/") {
		text = types.TypeString(t, func(p *types.Package) string { return path.Base(p.Path()) })
		e.found = append(e.found, fmt.Sprintf("%s has an internal type: %s", name, text))
	}
}
