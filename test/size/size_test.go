// SPDX-License-Identifier: Apache-2.0

package size

import (
	"cmp"
	"debug/elf"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/dependencies.md")

const (
	// mostBytes is what the program may have, stripped as it is released.
	mostBytes = 20_000_000
	// tolerance is by how many MB a row of the table may differ from what is measured, so that
	// not every change of the program is one of the table.
	tolerance = 0.15
	// least is how many MB a module must have for a row.
	least   = 0.05
	page    = "../../docs/dependencies.md"
	program = "github.com/landlockd/landlockd/cmd/landlockd"
)

// TestSize holds the program to its size.
func TestSize(t *testing.T) {
	info, err := os.Stat(build(t, "-s -w -funcalign=16"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > mostBytes {
		t.Errorf("the program has %d bytes, at most %d may be: which module grew, docs/dependencies.md shows "+
			"(go test ./test/size -update)", info.Size(), mostBytes)
	}
}

// TestTable holds the table of docs/dependencies.md to what modules add to the program.
func TestTable(t *testing.T) {
	sizes := measure(t, build(t, "-w -funcalign=16"))
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- sizes: begin -->\n", "<!-- sizes: end -->"
	before, rest, ok1 := strings.Cut(string(text), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table", page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+begin+render(sizes)+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	written := map[string]float64{}
	for _, row := range regexp.MustCompile(`(?m)^\| (.+) \| ([0-9.]+) \|$`).FindAllStringSubmatch(table, -1) {
		if written[row[1]], err = strconv.ParseFloat(row[2], 64); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range sizes {
		if math.Abs(s.mb-written[s.module]) > tolerance {
			t.Errorf("%s: %.2f MB, and %.2f in %s (go test ./test/size -update)", s.module, s.mb, written[s.module], page)
		}
		delete(written, s.module)
	}
	for module, mb := range written {
		if mb > tolerance {
			t.Errorf("%s adds nothing, and %.2f MB in %s (go test ./test/size -update)", module, mb, page)
		}
	}
}

// build builds the program as make does.
func build(t *testing.T, ldflags string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "landlockd")
	c := exec.Command("go", "build", "-trimpath", "-ldflags", ldflags, "-o", path, program)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// share is what a module adds, in MB.
type share struct {
	module string
	mb     float64
}

// Rows of what is no module.
const (
	standard = "Go's runtime and standard library"
	others   = "modules with less"
	nobodys  = "types, strings and tables that belong to no package alone"
)

// measure returns what each module adds, the largest first: its functions and data, and of the
// table of functions as much as its functions are of all.
func measure(t *testing.T, path string) []share {
	t.Helper()
	modules := modulesOf(t)
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	code, data := map[string]float64{}, map[string]float64{}
	allCode, all := 0.0, 0.0
	for _, s := range f.Sections {
		if s.Flags&elf.SHF_ALLOC != 0 && s.Type != elf.SHT_NOBITS {
			all += float64(s.Size)
		}
	}
	for _, s := range symbols {
		if s.Size == 0 || int(s.Section) >= len(f.Sections) || f.Sections[s.Section].Type == elf.SHT_NOBITS {
			continue
		}
		module, known := modules[packageOf(s.Name)]
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			allCode += float64(s.Size)
			code[module] += float64(s.Size)
		} else if known {
			data[module] += float64(s.Size)
		}
	}
	table := f.Section(".gopclntab")
	if table == nil || allCode == 0 {
		t.Fatal("the program has no table of functions")
	}
	sizes := map[string]float64{}
	for module, n := range code {
		sizes[cmp.Or(module, nobodys)] += n + data[module] + n/allCode*float64(table.Size)
	}
	left := all
	for _, n := range sizes {
		left -= n
	}
	sizes[nobodys] += left
	var shares []share
	small := share{module: others}
	for module, n := range sizes {
		if s := (share{module, n / 1e6}); s.mb < least {
			small.mb += s.mb
		} else {
			shares = append(shares, s)
		}
	}
	slices.SortFunc(shares, func(a, b share) int { return cmp.Or(cmp.Compare(b.mb, a.mb), cmp.Compare(a.module, b.module)) })
	return append(shares, small)
}

// modulesOf returns the module of each package that the program is made of.
func modulesOf(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", program).Output()
	if err != nil {
		t.Fatal(err)
	}
	modules := map[string]string{"main": "github.com/landlockd/landlockd", "go": standard}
	for line := range strings.Lines(string(out)) {
		path, module, _ := strings.Cut(strings.TrimSpace(line), " ")
		modules[path] = cmp.Or(module, standard)
	}
	return modules
}

// packageOf returns the package that a symbol is of, as it is imported.
func packageOf(symbol string) string {
	symbol = strings.TrimPrefix(symbol, "type:")
	symbol = strings.TrimLeft(strings.TrimPrefix(symbol, ".eq."), "*[]")
	if i := strings.IndexAny(symbol, "([{ ,"); i >= 0 {
		symbol = symbol[:i]
	}
	slash := strings.LastIndex(symbol, "/") + 1
	name, _, _ := strings.Cut(symbol[slash:], ".")
	return strings.ReplaceAll(symbol[:slash]+name, "%2e", ".")
}

func render(sizes []share) string {
	var b strings.Builder
	b.WriteString("| what | MB |\n|---|---|\n")
	for _, s := range sizes {
		// In no backquotes: the tables of what a go.mod asks for have those.
		fmt.Fprintf(&b, "| %s | %.1f |\n", s.module, s.mb)
	}
	return b.String()
}
