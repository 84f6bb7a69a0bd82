// SPDX-License-Identifier: Apache-2.0

package kernels

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/test/vm/protocol"
)

var update = flag.Bool("update", false, "write the tables of docs/kernels.md anew")

// TestPage: docs/kernels.md has what guests stated, what the matrix has, and what brought which
// right.
func TestPage(t *testing.T) {
	const file = "../../docs/kernels.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(b)
	for name, table := range map[string]string{"kernels": statedTable(t), "abis": abiTable(), "tested": testedTable()} {
		begin := "<!-- " + name + ": generated -->\n"
		before, rest, ok := strings.Cut(want, begin)
		_, after, ok2 := strings.Cut(rest, "<!-- end -->\n")
		if !ok || !ok2 {
			t.Fatalf("%s has no place for %s", file, name)
		}
		want = before + begin + "\n" + table + "\n<!-- end -->\n" + after
	}
	switch {
	case want == string(b):
	case *update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s has other tables than those of here: go generate ./test/kernels", file)
	}
}

// statedTable has a row for each boot that stated something of its own.
func statedTable(t *testing.T) string {
	s, err := readStated("../..")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	var b strings.Builder
	b.WriteString("| kernel | Debian's | ABI | rights | depth | source | IDs | lineage | rules | denials | ended |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, g := range Matrix() {
		for _, boot := range slices.Concat(g.Boots, g.Long) {
			name := g.Name() + "/" + boot.Name
			known[name] = true
			said := s.boots[name]
			for _, key := range statedBy(boot) {
				if said.Facts[key] == "" {
					t.Errorf("what %s states of %s is not recorded: test-kernels -record", name, key)
				}
			}
			plain := s.boots[g.Name()+"/default"].Facts["daemon.source"]
			if boot.Name == "default" || plain != said.Facts["daemon.source"]+said.Facts["denials.source"] {
				b.WriteString(statedRow(g, boot, said))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.boots)) {
		if !known[name] {
			t.Errorf("%s is recorded, and is not in the matrix", name)
		}
	}
	return b.String()
}

// statedBy returns which facts the checks of a boot state. A kernel that cannot scan is
// not asked, and its daemon states nothing.
func statedBy(b Boot) []string {
	var keys []string
	for _, c := range b.Checks {
		name, args, _ := strings.Cut(c, ":")
		switch {
		case name == "report":
			keys = append(keys, "report.abi", "report.rights")
		case name == "daemon" && !strings.Contains(args, "lockdown") && !strings.Contains(args, "nocompiler"), name == "denials":
			keys = append(keys, name+".source")
		}
	}
	return keys
}

// statedRow returns a row, or nothing for a boot that states nothing of its source.
func statedRow(g Guest, boot Boot, said statedBoot) string {
	source := map[string]string{}
	for _, key := range []string{"daemon.source", "denials.source"} {
		for field := range strings.FieldsSeq(said.Facts[key]) {
			name, value, _ := strings.Cut(field, "=")
			source[name] = value
		}
	}
	if len(source) == 0 {
		return ""
	}
	name := g.Name()
	if boot.Name != "default" {
		name += " " + boot.Name
	}
	abi, depth, rights := said.Facts["report.abi"], "", ""
	if n, err := strconv.Atoi(abi); err == nil {
		depth = "16"
		if n < 2 {
			depth = "64"
		}
		rights = strconv.Itoa(rightsOf(said.Facts["report.rights"]).Count())
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", name, said.Version, abi, rights, depth,
		source["source"], source["ids"], source["lineage"], source["rules"], source["denials"], source["runs"])
}

// rightsOf reads the fact of the rights that a kernel takes.
func rightsOf(text string) access.Rights {
	var r access.Rights
	if _, err := fmt.Sscanf(text, "fs=0x%x net=0x%x scope=0x%x", &r[access.FS], &r[access.Net], &r[access.Scope]); err != nil {
		return access.Rights{}
	}
	return r
}

func abiTable() string {
	var b strings.Builder
	b.WriteString("| Linux | ABI | rights that it brought |\n|---|---|---|\n")
	for abi := 1; access.Release(abi) != ""; abi++ {
		brought := access.Names(access.Supported(abi).Without(access.Supported(abi - 1)))
		text := "none"
		if len(brought) > 0 {
			text = "`" + strings.Join(brought, "` `") + "`"
		}
		fmt.Fprintf(&b, "| %s | %d | %s |\n", access.Release(abi), abi, text)
	}
	return b.String()
}

// columns of what is tested, by the checks that do it.
var columns = []struct {
	head   string
	checks []string
}{
	{"states, depths", []string{"scan", "procattr"}}, {"random forests", []string{"truth", "procattr", "both"}}, {"rights, rules", []string{"rules"}},
	{"assets", []string{"reach"}}, {"sockets", []string{"sockets"}}, {"ended", []string{"runs"}}, {"denials", []string{"denials"}},
	{"the daemon", []string{"daemon"}}, {"from within it", []string{"inside"}}, {"real programs", []string{"programs"}},
	{"the attribute", []string{"attr", "procattr"}}, {"order of modules", []string{"order"}}, {"off", []string{"off", "attroff"}},
	{"cannot scan", []string{"lockdown", "nocompiler"}},
}

func testedTable() string {
	var b strings.Builder
	b.WriteString("| guest |")
	for _, c := range columns {
		b.WriteString(" " + c.head + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, g := range Matrix() {
		b.WriteString("| " + g.Name() + " |")
		for _, c := range columns {
			has := ""
			for _, boot := range slices.Concat(g.Boots, g.Long) {
				for _, check := range boot.Checks {
					if name, _, _ := strings.Cut(check, ":"); slices.Contains(c.checks, name) {
						has = "yes"
					}
				}
			}
			b.WriteString(" " + has + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// TestStated: what is recorded is compared, fact by fact.
func TestStated(t *testing.T) {
	s := &stated{boots: map[string]statedBoot{}}
	says := func(key, text string) []protocol.Line {
		return []protocol.Line{{Kind: protocol.Fact, Check: "report", Key: key, Text: text}}
	}
	s.record("6.1/default", "6.1.1", says("abi", "2"))
	for _, c := range []struct {
		boot  string
		lines []protocol.Line
		want  int
	}{
		{"6.1/default", says("abi", "2"), 0},
		{"6.1/default", says("abi", "3"), 1},
		{"6.1/default", says("rights", "fs=0x1"), 1},
		{"6.1/default", says("lsm", "landlock"), 0},
		{"6.2/default", says("abi", "2"), 1},
	} {
		if got := s.differ(c.boot, c.lines); len(got) != c.want {
			t.Errorf("%s, %v: %q", c.boot, c.lines, got)
		}
	}
}
