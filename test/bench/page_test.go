// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/bench/record"
)

var update = flag.Bool("update", false, "write what docs/performance.md has of the records anew, and the pictures")

const (
	docs    = "../../docs"
	records = "testdata"
)

// What is between them in docs/performance.md is generated.
const (
	marked   = "<!-- by make bench, from test/bench/testdata -->\n"
	unmarked = "<!-- end of what make bench writes -->\n"
)

// TestPage: docs/performance.md says what is in the records.
func TestPage(t *testing.T) {
	path := filepath.Join(docs, "performance.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opens := strings.Cut(string(page), marked)
	_, after, closes := strings.Cut(rest, unmarked)
	if !opens || !closes {
		t.Fatalf("%s lacks the lines %q and %q", path, marked, unmarked)
	}
	parts := readParts(t)
	want := before + marked + measuredText(parts) + unmarked + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		drawPictures(t, parts)
		return
	}
	if string(page) != want {
		t.Errorf("%s is not what the records say: run go generate ./test/bench", path)
	}
}

// namedPart is a part with the name of its file.
type namedPart struct {
	name string
	*record.Part
}

// readParts reads all, that of scrapes first.
func readParts(t *testing.T) []namedPart {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(records, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no records: %v", err)
	}
	var parts []namedPart
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		p, err := record.Read(records, name)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, namedPart{name, p})
	}
	slices.SortStableFunc(parts, func(x, y namedPart) int {
		return strings.Compare(order(x.name), order(y.name))
	})
	return parts
}

func order(name string) string {
	if name == "scrape" {
		return ""
	}
	return name
}

func picturePath(name string) string { return "bench-" + name + ".svg" }

func drawPictures(t *testing.T, parts []namedPart) {
	t.Helper()
	for _, p := range parts {
		if p.Picture == nil {
			continue
		}
		in, err := json.Marshal(p.Picture)
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command("go", "-C", "chart", "run", ".")
		c.Stdin = bytes.NewReader(in)
		out, err := c.Output()
		if exit := new(exec.ExitError); errors.As(err, &exit) {
			t.Fatalf("the picture of %s: %v: %s", p.name, err, exit.Stderr)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(docs, picturePath(p.name)), out, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// measuredText is all that is generated.
func measuredText(parts []namedPart) string {
	var b strings.Builder
	b.WriteString("\n### Budgets\n\n" + wrap(fmt.Sprintf("`make bench` fails if one is missed. Where the "+
		"time is in code that is not ours the last column says so, and it fails if what was reached, in the "+
		"worst of the whole runs, is missed by more than %.0f %%.", 100*worse)) +
		"\n\n| what | measured | budget | reached | why not kept |\n|---|---|---|---|---|\n")
	for _, p := range parts {
		for _, budget := range p.Budgets {
			b.WriteString(budgetRow(budget, instead))
		}
	}
	for _, p := range parts {
		m := p.Machine
		fmt.Fprintf(&b, "\n### %s\n\n", p.Title)
		if p.Method != "" {
			b.WriteString(wrap(p.Method) + "\n\n")
		}
		b.WriteString(wrap(fmt.Sprintf("Measured on %s with %d processors (%s), %d GB, Linux %s, %s; load %.1f.",
			m.Date, m.CPUs, m.CPU, m.MemoryGB, m.Kernel, m.Go, m.Load)) + "\n\n")
		if p.Picture != nil {
			fmt.Fprintf(&b, "![%s](%s)\n\n", p.Picture.Title, picturePath(p.name))
		}
		if p.name == "scrape" {
			b.WriteString(scrapeTables(p.Part))
		} else {
			b.WriteString(figureTable(p.Part))
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n\n"
}

// figureTable has every figure of a part.
func figureTable(p *record.Part) string {
	var b strings.Builder
	b.WriteString("| of | beside | what | median | middle half |\n|---|---|---|---|---|\n")
	for _, f := range p.Figures {
		fmt.Fprintf(&b, "| %s | %s | %s | %s %s | %s |\n", f.Subject, f.Population, f.Quantity, number(f.Median), f.Unit, spread(f.Spread))
	}
	return b.String()
}

func spread(s record.Spread) string {
	if s.Samples < 2 {
		return ""
	}
	return fmt.Sprintf("%s to %s of %d", number(s.Low), number(s.High), s.Samples)
}

// number writes three digits that say something, and no exponent.
func number(v float64) string {
	switch {
	case v >= 100:
		return grouped(int(v + 0.5))
	case v >= 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	case v >= 1:
		return trimZeros(fmt.Sprintf("%.2f", v))
	}
	return trimZeros(fmt.Sprintf("%.3g", v))
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// grouped writes a number with a space between thousands.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}

// wrap breaks text into lines that fit an editor.
func wrap(text string) string {
	var b strings.Builder
	width := 0
	for word := range strings.FieldsSeq(text) {
		if n := len([]rune(word)); width > 0 && width+1+n > 100 {
			b.WriteByte('\n')
			width = 0
		}
		if width > 0 {
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len([]rune(word))
	}
	return b.String()
}
