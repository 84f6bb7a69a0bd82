// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/vm"
)

func TestMain(m *testing.M) {
	EnterIfAsked()
	os.Exit(m.Run())
}

// TestPrograms: of real programs, what a scan says of every task is what strace saw
// it ask for, deploy/known.d says the same of them, and docs/assets.md has what Landlock keeps
// them from.
func TestPrograms(t *testing.T) {
	tree, source := open(t)
	page, claims := readPage(t), readClaims(t)
	for _, p := range Catalog() {
		t.Run(p.Name, func(t *testing.T) {
			var snap *scan.Snapshot
			trace, err := tree.Check(p, testenv.PublicDir(t), func(root string) (_ *scan.Snapshot, err error) {
				snap, err = scanAssets(t, source, root)
				return snap, err
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(tree.Line(p, trace))
			page.check(t, p.Name, snap, trace.Deepest().TID)
			claims.check(t, p.Name, snap, trace)
		})
	}
	claims.finish(t)
	if *update {
		page.write(t)
	}
}

// TestCompareFinds: had the program asked for anything else, the comparison would not
// be equal.
func TestCompareFinds(t *testing.T) {
	tree, source := open(t)
	all := Catalog()
	p := all[slices.IndexFunc(all, func(p Program) bool { return p.Name == "setpriv, twice" })]
	r, err := tree.Start(p, testenv.PublicDir(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.End()
	var snap *scan.Snapshot
	trace, err := r.compare(func(string) (_ *scan.Snapshot, err error) {
		snap, err = source.Scan(t.Context())
		return snap, err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(tasks *[]Task, l []Layer){
		"a task more":   func(tasks *[]Task, _ []Layer) { *tasks = append(*tasks, Task{TID: 1 << 30}) },
		"a task less":   func(tasks *[]Task, _ []Layer) { *tasks = (*tasks)[1:] },
		"free":          func(tasks *[]Task, _ []Layer) { (*tasks)[0].Layers = nil },
		"a layer less":  func(tasks *[]Task, l []Layer) { (*tasks)[0].Layers = l[:1] },
		"a layer more":  func(tasks *[]Task, l []Layer) { (*tasks)[0].Layers = append(l, l[1]) },
		"another order": func(_ *[]Task, l []Layer) { l[0], l[1] = l[1], l[0] },
		"a right less":  func(_ *[]Task, l []Layer) { l[0].Handled[access.FS] &^= 1 },
		"another class": func(_ *[]Task, l []Layer) { l[1].Handled[access.Net] = 1 },
		"a rule less":   func(_ *[]Task, l []Layer) { l[1].Rules = nil },
		"less granted":  func(_ *[]Task, l []Layer) { l[0].Rules[0].Rights &^= 1 },
		"elsewhere":     func(_ *[]Task, l []Layer) { l[1].Rules[0].Path = "/home" },
		"a rule on a port": func(_ *[]Task, l []Layer) {
			l[1].Rules = append(l[1].Rules, Rule{Class: access.Net, Port: 1, Rights: 1})
		},
	} {
		other := deepCopy(t, trace)
		change(&other.Tasks, other.Tasks[0].Layers)
		if err := other.Compare(snap); err == nil {
			t.Errorf("%s: equal", name)
		}
	}
	if err := deepCopy(t, trace).Compare(snap); err != nil {
		t.Errorf("as it is: %v", err)
	}
}

func deepCopy(t *testing.T, trace Trace) (c Trace) {
	text, err := json.Marshal(trace)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open returns the tree of programs, and what makes scans.
func open(t *testing.T) (*Tree, *taskiter.Source) {
	if testing.Short() {
		t.Skip("starts real programs as root; skipped because of -short")
	}
	testenv.NeedRoot(t)
	cache, err := vm.Cache("programs")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := OpenTree(t.Context(), cache)
	if err != nil {
		t.Fatal(err)
	}
	source, err := taskiter.Open(taskiter.Options{RuleTime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	if source.Info().Rules != "read" {
		t.Fatalf("rules are %s: %s", source.Info().Rules, source.NoRules())
	}
	return tree, source
}
