// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/table"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

// texts are all ways to write a snapshot as text.
func texts() map[string]func(io.Writer, *scan.Snapshot) error {
	all := map[string]func(io.Writer, *scan.Snapshot) error{}
	for _, o := range []Options{{}, {All: true}, {Style: table.Style{ASCII: true, Width: 80}}, {All: true, Style: table.Style{Width: 1}}} {
		all[fmt.Sprintf("tree %+v", o)] = func(w io.Writer, s *scan.Snapshot) error { return Tree(w, s, o) }
		all[fmt.Sprintf("domains %+v", o)] = func(w io.Writer, s *scan.Snapshot) error { return Domains(w, s, o) }
	}
	return all
}

func TestTextOfRandomHosts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		h := hosts.RandomNames(r, r.IntN(30))
		for name, write := range texts() {
			var first, second bytes.Buffer
			if err := errors.Join(write(&first, &h.Snapshot), write(&second, &h.Snapshot)); err != nil {
				t.Fatal(err)
			}
			hosts.CheckSafe(t, first.String())
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Fatalf("%s: written twice, it differs:\n%s\n%s", name, &first, &second)
			}
		}
		checkLines(t, h)
	}
}

// checkLines: with All, each process has exactly one line, and in the view of
// domains one line for each domain that it is in.
// counted is a line of the counts at the end.
var counted = regexp.MustCompile(`^[0-9]+ (workloads?|process(es)?): `)

func checkLines(t *testing.T, h *hosts.Host) {
	t.Helper()
	var tree, domains strings.Builder
	if err := errors.Join(Tree(&tree, &h.Snapshot, Options{All: true}), Domains(&domains, &h.Snapshot, Options{})); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(tree.String()) {
		if line[0] >= '0' && line[0] <= '9' && !counted.MatchString(line) {
			lines++
		}
	}
	if lines != len(h.Processes) {
		t.Fatalf("%d lines for %d processes:\n%s", lines, len(h.Processes), tree.String())
	}
	if strings.Contains(domains.String(), "4294967295 rule") {
		t.Fatalf("rules that are not counted are:\n%s", &domains)
	}
	want := len(h.Domains)
	forest := h.Forest()
	for d := range h.Domains {
		want += len(forest.Members(int32(d)))
	}
	v := &domainWriter{s: &h.Snapshot, forest: forest}
	v.layOut()
	if len(v.rows) != want {
		t.Fatalf("%d rows, want %d", len(v.rows), want)
	}
	for i, up := range v.lines.up {
		if int(up) >= i || v.lines.level[i] > 0 && !inPreorder(v.lines.up, i) {
			t.Fatalf("line %d does not stand below its parent %d", i, up)
		}
	}
}

// inPreorder reports whether the parent of line i is the line before or one of
// that line's ancestors.
func inPreorder(up []int32, i int) bool {
	for j := int32(i - 1); j >= 0; j = up[j] {
		if j == up[i] {
			return true
		}
	}
	return false
}

func FuzzTextOfNames(f *testing.F) {
	f.Add("bash", "/usr/bin/bash", 0)
	f.Add("\x1b]0;x\x07", "/\u202e", 40)
	f.Add("\n\n1 sandboxed", "\xff\xfe", -1)
	f.Fuzz(func(t *testing.T, comm, exe string, width int) {
		h := hosts.New()
		d := h.Domain(0x1e67bda0b, domainid.Outermost)
		h.Domains[d].Creator = domainid.Creator{PID: 7, Comm: comm}
		h.Process(1, 0, comm, hosts.In(d)).Exe = exe
		h.Process(2, 1, comm, hosts.In(d), hosts.Free()).Exe = exe
		o := Options{Style: table.Style{Width: width}}
		var w strings.Builder
		if err := errors.Join(Tree(&w, &h.Snapshot, o), Domains(&w, &h.Snapshot, o)); err != nil {
			t.Fatal(err)
		}
		hosts.CheckSafe(t, w.String())
		// A name can add no line: 1 header, 2 processes, 1 count; 1 domain, 2 processes, 1 count.
		// What is further in is of two groups, or the rest of a long line.
		n := 0
		for line := range strings.Lines(w.String()) {
			if !strings.HasPrefix(line, "  └") && strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "│") {
				continue
			}
			n++
		}
		if n != 8 {
			t.Fatalf("%d lines:\n%s", n, w.String())
		}
	})
}

// A chain of 100 000 processes must not take a stack, quadratic time or
// quadratic output.
func TestLongChain(t *testing.T) {
	h := hosts.New()
	d := h.Domain(0x1e67bda0b, domainid.Outermost)
	const n = 100_000
	for pid := int32(1); pid <= n; pid++ {
		h.Process(pid, pid-1, "link", hosts.In(d))
	}
	h.Conclude()
	for name, write := range map[string]func(io.Writer, *scan.Snapshot, Options) error{"tree": Tree, "domains": Domains} {
		var w bytes.Buffer
		if err := write(&w, &h.Snapshot, Options{}); err != nil {
			t.Fatal(err)
		}
		if most := 200 * n; w.Len() > most {
			t.Errorf("%s: %d bytes, want at most %d", name, w.Len(), most)
		}
		if !strings.Contains(w.String(), "(level 99999) ") {
			t.Errorf("%s: the deepest level is not named", name)
		}
	}
}

// One process with a domain for each of its threads, and with many children
// nested in one of those: neither view may multiply the two.
func TestManyThreadsAndChildren(t *testing.T) {
	h := hosts.New()
	const n = 30_000
	var tasks []scan.Task
	for i := range n {
		tasks = append(tasks, hosts.In(h.Domain(domainid.ID(i+1), domainid.Outermost)))
	}
	nested := h.Domain(n+1, 0)
	h.Process(1, 0, "many", tasks...)
	for i := range int32(n) {
		h.Process(n+2+i, 1, "child", hosts.In(nested))
	}
	h.Conclude()
	var tree, domains strings.Builder
	if err := errors.Join(Tree(&tree, &h.Snapshot, Options{}), Domains(&domains, &h.Snapshot, Options{})); err != nil {
		t.Fatal(err)
	}
	if want := "29992 threads more, in 29992 more groups"; !strings.Contains(tree.String(), want) {
		t.Errorf("tree does not say %q", want)
	}
	if want := "1 many [1 of 30000 threads] [30000 children deeper]"; !strings.Contains(domains.String(), want) {
		t.Errorf("domains do not say %q", want)
	}
}

func TestCirclesAndOrphans(t *testing.T) {
	h := hosts.New()
	d := h.Domain(0x1e67bda0b, domainid.Outermost)
	h.Process(5, 6, "a", hosts.In(d))
	h.Process(6, 5, "b", hosts.In(d))
	h.Process(7, 7, "self", hosts.In(d))
	h.Process(8, 999, "orphan", hosts.In(d))
	// All as old as each other: age does not show who is the parent.
	for i := range h.Processes {
		h.Processes[i].Start = 1
	}
	var w strings.Builder
	if err := Tree(&w, &h.Snapshot, Options{}); err != nil {
		t.Fatal(err)
	}
	want := `PID  STATE      DEPTH  DOMAIN        COMMAND
5    sandboxed  1      1e67bda0b  ┌  a
6    sandboxed  1      1e67bda0b  │  └─b
7    sandboxed  1      1e67bda0b  │  self
8    sandboxed  1      1e67bda0b  └  orphan
4 processes: 4 sandboxed, 0 partial, 0 unsandboxed, 0 unknown; 1 domain; deepest 1
`
	if w.String() != want {
		t.Errorf("got\n%s\nwant\n%s", w.String(), want)
	}
}

// Between a process and its second child in a domain may stand a grandchild
// whose own parent is not in that domain.
func TestDomainTreesStayWhole(t *testing.T) {
	h := hosts.New()
	a := h.Domain(0xa0000000a, domainid.Outermost)
	b := h.Domain(0xb0000000b, a)
	h.Process(1, 0, "top", hosts.In(a))
	h.Process(2, 1, "nested", hosts.In(b))
	h.Process(3, 2, "grandchild", hosts.In(a))
	h.Process(4, 1, "second", hosts.In(a))
	var w strings.Builder
	if err := Domains(&w, &h.Snapshot, Options{}); err != nil {
		t.Fatal(err)
	}
	want := `├─1 top [1 child deeper]
│ └─4 second
├─3 grandchild
└─domain b0000000b `
	if !strings.Contains(w.String(), want) {
		t.Errorf("got\n%s\nwant\n%s", w.String(), want)
	}
}

// The order of domains in a snapshot means nothing, so it must not show.
func TestDomainOrder(t *testing.T) {
	for _, write := range texts() {
		var a, b bytes.Buffer
		if write(&a, hosts.TwoDomains(false)) != nil || write(&b, hosts.TwoDomains(true)) != nil ||
			!bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("\n%s\n%s", &a, &b)
		}
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteErrors(t *testing.T) {
	h := hosts.Shells()
	for name, write := range texts() {
		if err := write(brokenWriter{}, &h.Snapshot); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOneDomainTwoRoots: threads of one domain stand in lines of their own if only some
// of them are restricted in nothing, both forms show it of the process, and one denial
// is one.
func TestOneDomainTwoRoots(t *testing.T) {
	h := hosts.New()
	d := h.Domain(0x1e67bda0b, domainid.Outermost)
	h.Domains[d].Denials = 1
	h.Source.Rules = "read"
	all := h.View(d, ^uint32(0))
	h.Domains[d].Handled = access.Rights{access.FS: 4}
	reads := h.View(d)
	h.Process(7, 0, "mixed", hosts.Seen(d, reads), hosts.Seen(d, all))
	h.Process(17, 0, "same", hosts.Seen(d, all), hosts.Seen(d, all))
	h.Process(27, 0, "free", hosts.Seen(d, reads), hosts.Seen(d, reads))
	var tree, domains strings.Builder
	if err := errors.Join(Tree(&tree, &h.Snapshot, Options{}), Domains(&domains, &h.Snapshot, Options{})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`7    ineffective  1      1e67bda0b  ┌  mixed
     sandboxed    1      1e67bda0b  │    · 1 thread in 1e67bda0b (7)
     ineffective  1      1e67bda0b  │    · 1 thread in 1e67bda0b (8)
17   ineffective  1      1e67bda0b  │  same
27   sandboxed    1      1e67bda0b  └  free
`, ", 1 denial; ", "7 mixed [ineffective]\n", "27 free\n"} {
		if !strings.Contains(tree.String()+domains.String(), want) {
			t.Errorf("want %q in\n%s%s", want, &tree, &domains)
		}
	}
	if strings.Contains(tree.String(), "Not all is known") {
		t.Errorf("nothing was left out:\n%s", &tree)
	}
}
