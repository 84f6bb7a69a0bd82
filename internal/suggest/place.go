// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/lazyregexp"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// place is what names a process for good.
type place struct {
	match policy.Match
	// keys are the match as it is written, in this order.
	keys []key
	// label is the same for people; untrusted.
	label string
	// nameless is why nothing does; empty if something does.
	nameless string
	// names are what people call it, from the shortest.
	names []string
	kind  kind
	// unit: a unit is among what it is named by.
	unit bool
}

// kind is what can be expected of what is there.
type kind uint8

const (
	// process: that it runs for a while.
	process kind = iota
	// service: that somebody wants it to run, when it is needed.
	service
	// daemon: that it always runs: a service of the system's manager.
	daemon
)

type key struct {
	policy.Key
	pattern string
}

// placeOf returns what names a process, such that a rule of that name is about it
// for certain.
func placeOf(s *scan.Snapshot, p *scan.Process) place {
	at := nameOf(s, p)
	if at.nameless != "" {
		return at
	}
	switch applies, why := at.match.About(s, p); applies {
	case access.No:
		at.nameless = "no rule: none would be about it: " + why
	case access.Unknown:
		at.nameless = "no rule: it is not known whether one would be about it: " + why
	}
	return at
}

// nameOf returns what names a process.
func nameOf(s *scan.Snapshot, p *scan.Process) place {
	switch w := s.WorkloadOf(p); {
	case w == nil:
	case w.Kind == scan.InContainer:
		return inContainer(w, p)
	case (w.Kind == scan.Unit || w.Kind == scan.UserUnit) && w.Unit != "":
		if glob, ok := unitGlob(w); ok {
			return inUnit(s, p, w, glob)
		}
	}
	return byExe(p)
}

// inUnit names a process by its unit. In a cgroup below the unit's own there is
// often another program: a container of Podman's beside what watches it.
func inUnit(s *scan.Snapshot, p *scan.Process, w *scan.Workload, glob string) place {
	name := key{policy.KeyUnit, glob}
	kind := process
	switch {
	case strings.HasSuffix(glob, ".service") && w.Kind == scan.Unit && !strings.Contains(strings.Replace(glob, "@*", "", 1), "*"):
		kind = daemon // others have a name of their own for each start
	case strings.HasSuffix(glob, ".service"):
		kind = service
	}
	if exe := byExe(p); w.Delegated && exe.nameless == "" {
		program := exe.keys[0].pattern
		at := newPlace("unit "+glob+" with "+program, name, exe.keys[0])
		if about, _ := at.match.About(s, p); at.nameless == "" && about == access.Yes {
			at.kind, at.unit = kind, true
			for i, unit := range namesOfUnit(glob) {
				of := namesOfExe(program)
				at.names = append(at.names, unit+"-"+of[min(i, len(of)-1)])
			}
			return at
		}
	}
	at := newPlace("unit "+glob, name)
	at.names, at.kind, at.unit = namesOfUnit(glob), kind, true
	return at
}

// inContainer names a container as Kubernetes does; others have no name that is
// the same after the next start, but the programs in them do.
func inContainer(w *scan.Workload, p *scan.Process) place {
	c := w.Container
	if c == nil || c.Name == "" || c.Namespace == "" {
		at := byExe(p)
		if at.nameless != "" {
			return at
		}
		program := at.keys[0].pattern
		at = newPlace("container with "+program, key{policy.KeyContainer, "*"}, at.keys[0])
		for _, name := range namesOfExe(program) {
			at.names = append(at.names, name, name+"-in-containers")
		}
		at.kind = service
		return at
	}
	at := newPlace("container "+c.Namespace+"/"+c.Name,
		key{policy.KeyNamespace, literal(c.Namespace)}, key{policy.KeyContainer, literal(c.Name)})
	at.names = []string{c.Name, c.Namespace + "-" + c.Name}
	at.kind = service
	return at
}

// unitGlob returns what matches a unit and all that are of its kind; false if
// its name was made up for one start.
func unitGlob(w *scan.Workload) (string, bool) {
	user, unit := "", w.Unit
	if _, name, ok := strings.Cut(w.Unit, "/"); ok {
		user, unit = "user@*/", name
	}
	folded := w.Name[strings.LastIndexByte(w.Name, '/')+1:]
	// What folding puts in the place of an identifier is a glob already.
	glob := strings.NewReplacer("[", "[[]", "?", "[?]").Replace(folded)
	dot := strings.LastIndexByte(unit, '.')
	at := strings.IndexByte(unit, '@')
	switch {
	case at > 0 && at < dot:
		glob = strings.Replace(glob, "@", "@*", 1)
	case folded == unit:
		glob = literal(unit)
	case !strings.Contains(folded, "*") || strings.TrimLeft(folded, "*.") == unit[dot+1:]:
		return "", false // too little of it stays
	}
	// What folding takes from elsewhere, such as the slice's name, the unit has not.
	pattern, err := policy.ParsePattern(user + glob)
	return user + glob, err == nil && pattern.Match(w.Unit)
}

// byExe names a process by its program.
func byExe(p *scan.Process) place {
	exe, comm := p.Exe, p.Comm.String()
	switch {
	case exe == "" || p.ExeCut:
		return place{label: "command " + comm,
			nameless: "no rule: its program is not known, and a process chooses its own name"}
	case !strings.HasPrefix(exe, "/") || strings.HasPrefix(exe, "/memfd:"):
		return place{label: "program " + exe, nameless: "no rule: its program is in no file"}
	}
	glob := unversioned(exe)
	at := newPlace("program "+glob, key{policy.KeyExe, glob})
	at.names = namesOfExe(glob)
	return at
}

// newPlace makes a place of what may be written into a file that people read.
func newPlace(label string, keys ...key) place {
	at := place{label: label, keys: keys}
	for _, k := range keys {
		pattern, err := policy.ParsePattern(k.pattern)
		if err != nil || !plain(k.pattern) {
			return place{label: label, nameless: "no rule: its name cannot be written into one"}
		}
		at.match.Patterns[k.Key] = []policy.Pattern{pattern}
	}
	return at
}

// plain reports whether text is shown as it is.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsPrint(r) || r == utf8.RuneError // it stands for what is not UTF-8, too
	})
}

// literal returns the glob that matches one text.
func literal(text string) string {
	glob := strings.NewReplacer("[", "[[]", "*", "[*]", "?", "[?]").Replace(text)
	if strings.HasPrefix(glob, "re:") {
		glob = "[r]" + glob[1:]
	}
	return glob
}

var (
	// version is a number with dots, or one that stands alone in a part of a path.
	version = lazyregexp.New(`(?:\b[vV])?[0-9]+(?:\.[0-9]+)+[0-9A-Za-z.~+]*|\b[vV]?[0-9]+\b`)
	// hash is what package managers put into paths: of the contents, or random.
	hash = lazyregexp.New(`[0-9a-f]{12,}|\b[0-9a-z]{32}\b`)
	// machine are the words for processors that look like versions.
	machine = lazyregexp.New(`x86[_-]64|i[3-6]86`)
)

// unversioned returns a glob for a path, with a star for every version in it.
func unversioned(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if machine().MatchString(part) {
			parts[i] = literal(part)
			continue
		}
		const mark = "\x00"
		part = strings.ReplaceAll(part, mark, "\ufffd")
		part = hash().ReplaceAllString(part, mark)
		part = version().ReplaceAllString(part, mark)
		parts[i] = strings.ReplaceAll(literal(part), mark, "*")
	}
	return strings.Join(parts, "/")
}
