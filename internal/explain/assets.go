// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Asset is whether Landlock keeps the process from one asset.
type Asset struct {
	Name string
	// Reached is of all threads that are in domains together.
	domainid.Reached
	// Outside: a worker that may act outside of its domains reaches it, or may.
	Outside access.Answer
}

// addAssets concludes of the assets that the snapshot has.
func (e *Explanation) addAssets(m *domainid.Meaning) {
	s := e.Snapshot
	if len(s.Assets) == 0 || len(e.Sandboxes) == 0 {
		return
	}
	type at struct{ domain, scene int32 }
	var places unique[at]
	for _, t := range s.TasksOf(e.Process) {
		if t.State == scan.Sandboxed {
			places.add(at{t.Domain, t.Scene})
		}
	}
	e.Assets = make([]Asset, len(s.Assets))
	for n, p := range places.all {
		for i, r := range m.Reached(p.domain, p.scene) {
			a := &e.Assets[i]
			if n == 0 {
				a.Name, a.Outside, a.Reached = s.Assets[i].Name, s.OutsideWorker(e.Process), r
			}
			a.Add(r)
		}
	}
}

// whole is the reach of the process, workers included.
func (a *Asset) whole() domainid.Reach {
	switch {
	case a.Reach == domainid.Absent:
		return a.Reach
	case a.Outside == access.Yes:
		return domainid.WithinReach
	case a.Outside == access.Unknown:
		return max(a.Reach, domainid.ReachUnknown)
	default:
		return a.Reach
	}
}

// words returns what is said of an asset, and what lets the process reach it.
func (e *Explanation) assetWords(a *Asset, name func(string) string) string {
	switch whole := a.whole(); {
	case whole == domainid.Absent:
		return "this host does not have it"
	case whole == domainid.OutOfReach:
		return "Landlock keeps it from this"
	case whole == domainid.WithinReach && a.Reach != whole:
		return "Landlock does not keep it from this: a worker may act outside of its domains"
	case whole == domainid.WithinReach:
		return "Landlock does not keep it from this: " + e.causeWords(a, name)
	case a.Reach != whole:
		return "not known: it is not known whether a worker may act outside of its domains"
	default:
		text := "not known: " + strings.Join(a.Doubt.Sentences(), ", ")
		if what := e.whatWords(a, name); what != "" {
			text += " (" + what + ")"
		}
		return text
	}
}

// causeWords returns what lets the threads reach an asset.
func (e *Explanation) causeWords(a *Asset, name func(string) string) string {
	what := e.whatWords(a, name)
	switch {
	case a.Ways != 0:
		return fmt.Sprintf("this kernel leaves %s open, past %s", access.WaysText(a.Ways.All()), what)
	case a.Reason == domainid.KernelCannot:
		return "no sandbox on this kernel restricts " + what
	case a.Reason == domainid.NotHandled:
		return "no layer of some thread handles " + what
	}
	paths := e.granting(a)
	if len(paths) == 0 {
		return "its rules grant " + what
	}
	return fmt.Sprintf("%s, by %s", what, strings.Join(some(paths, 3, func(path string) string {
		return "the rule on " + name(path)
	}), ", "))
}

// whatWords names the rights, and what they are to.
func (e *Explanation) whatWords(a *Asset, name func(string) string) string {
	text := strings.Join(access.Names(a.Rights), ", ")
	switch {
	case text == "":
	case a.Object >= 0:
		o := &e.Snapshot.Objects[a.Object]
		text += " on " + name(o.Path)
		if o.Kind == domainid.ObjectDirectory && o.Asset >= 0 {
			text += " or below"
		}
	case a.Port > 0:
		text += fmt.Sprintf(" on port %d", a.Port)
	}
	return text
}

// granting returns the paths that were found of the rules that grant an asset's rights on its
// object, above or below it.
func (e *Explanation) granting(a *Asset) []string {
	if a.Object < 0 {
		return nil
	}
	var paths unique[string]
	object := e.Snapshot.Objects[a.Object].Path
	for i := range e.Sandboxes {
		for _, l := range e.Sandboxes[i].Layers {
			rs := e.Snapshot.Domains[l.Domain].Ruleset
			if rs == nil {
				continue
			}
			for _, rule := range rs.Inodes {
				path, found := e.Places[File{rule.Dev, rule.Ino}]
				if found && rule.FS&a.Rights[access.FS] != 0 &&
					(IsBelow(object, path) || IsBelow(path, object)) {
					paths.add(path)
				}
			}
		}
	}
	slices.Sort(paths.all)
	return paths.all
}

// assets writes what is said of each asset.
func (t *textWriter) assets() {
	if len(t.e.Assets) == 0 {
		return
	}
	who := ""
	if t.e.Free > 0 {
		who = "; its threads in no domain it keeps from nothing"
	}
	t.line("\nAssets of the configuration, as far as Landlock goes%s:", who)
	for i := range t.e.Assets {
		a := &t.e.Assets[i]
		t.line("  - %s: %s", t.name(a.Name), t.e.assetWords(a, t.name))
	}
	t.line("  Not looked at: Unix permissions, changes of mode and owner, what it has open or is " +
		"passed, memory files and pipes.")
}

type assetJSON struct {
	Name  string         `json:"name"`
	Reach domainid.Reach `json:"reach"`
	// Why is what is said of it in words, with what lets the process reach it.
	Why untrusted.Text `json:"said"`
	// Threads is the reach of threads alone, without workers.
	Threads domainid.Reach  `json:"reach_of_threads"`
	Reason  domainid.Reason `json:"why"`
	Rights  []string        `json:"rights"`
	Path    *untrusted.Text `json:"path"`
	Port    *uint16         `json:"port"`
	// GrantedBy are the paths of rules that let it, as far as they were found.
	GrantedBy []untrusted.Text `json:"granted_by"`
	ButBy     []string         `json:"but_by"`
	Doubt     []string         `json:"doubt"`
}

func (e *Explanation) assetsJSON() []assetJSON {
	all := make([]assetJSON, len(e.Assets))
	for i := range e.Assets {
		a := &e.Assets[i]
		j := assetJSON{
			Name: a.Name, Reach: a.whole(), Threads: a.Reach, Reason: a.Reason,
			Why:    untrusted.Text(e.assetWords(a, func(path string) string { return path })),
			Rights: append([]string{}, access.Names(a.Rights)...), GrantedBy: []untrusted.Text{},
			ButBy: wayNames(a.Ways), Doubt: words(a.Doubt),
		}
		if a.Object >= 0 {
			j.Path = new(untrusted.Text(e.Snapshot.Objects[a.Object].Path))
		}
		if a.Port > 0 {
			j.Port = &a.Port
		}
		if a.Reason == domainid.RulesGrant {
			for _, path := range e.granting(a) {
				j.GrantedBy = append(j.GrantedBy, untrusted.Text(path))
			}
		}
		all[i] = j
	}
	return all
}
