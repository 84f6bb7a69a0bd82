// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/taskiter"
)

// message is what a call of say may write, with "…" for what differs.
type message struct{ what, text string }

// verb is one of package fmt.
var verb = regexp.MustCompile(`%[a-z]`)

// messages returns what the files of this package say with a mark that is not always ok.
func messages(t *testing.T) []message {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	constants := map[string]ast.Expr{}
	fset := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == 1 && len(spec.Values) == 1 {
				constants[spec.Names[0].Name] = spec.Values[0]
			}
			return true
		})
	}
	var found []message
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			call, isCall := n.(*ast.CallExpr)
			if !isCall || len(call.Args) < 3 {
				return true
			}
			name, isName := call.Fun.(*ast.Ident)
			mark, marked := call.Args[0].(*ast.Ident)
			if !isName || name.Name != "say" || marked && mark.Name == "ok" {
				return true
			}
			text := verb.ReplaceAllString(constant(t, constants, call.Args[2]), "…")
			found = append(found, message{constant(t, constants, call.Args[1]), text})
			return true
		})
	}
	return found
}

// constant returns the text of an expression of constants.
func constant(t *testing.T, constants map[string]ast.Expr, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	case *ast.BinaryExpr:
		return constant(t, constants, e.X) + constant(t, constants, e.Y)
	case *ast.Ident:
		if value, ok := constants[e.Name]; ok {
			return constant(t, constants, value)
		}
	}
	t.Fatalf("%s is no constant", fmt.Sprint(e))
	return ""
}

// TestTroubleshooting: each line that doctor may write and that is not ok stands in
// docs/troubleshooting.md, below what it is about, and no other does; and so do the reasons why
// a source does not work.
func TestTroubleshooting(t *testing.T) {
	b, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[message]bool{} // whether doctor says it
	reasons := map[string][]string{}
	section, table := "", ""
	for line := range strings.Lines(string(b)) {
		switch first, rest, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | "); {
		case strings.HasPrefix(line, "## "):
			section = strings.TrimSpace(strings.TrimPrefix(line, "## "))
		case first == "line", first == "reason", first == "mark":
			table = first
		case !strings.HasPrefix(line, "| `"):
		case table == "line" && strings.Count(rest, " | ") < 2:
			t.Errorf("no cause, or nothing to do: %s", line)
		case table == "line":
			text, _, _ := strings.Cut(strings.TrimPrefix(first, "`"), "`")
			rows[message{section, text}] = false
		case table == "reason":
			reasons[section] = append(reasons[section], strings.Trim(first, "`"))
		}
	}
	all := messages(t)
	if len(all) < 30 {
		t.Errorf("only %d messages were found", len(all))
	}
	for _, m := range all {
		if _, ok := rows[m]; !ok {
			t.Errorf("below %q there is no line %q", m.what, m.text)
		}
		rows[m] = true
	}
	for m, said := range rows {
		if !said {
			t.Errorf("doctor does not say %q of %q", m.text, m.what)
		}
	}
	for what, want := range map[string][]string{"task iterator": taskiter.Reasons(), "attribute": procattr.Reasons()} {
		if slices.Sort(reasons[what]); !slices.Equal(reasons[what], want) {
			t.Errorf("reasons of the %s are %q, want %q", what, reasons[what], want)
		}
	}
}
