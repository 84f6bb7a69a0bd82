// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"slices"
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// truth is what is true of those threads of processes that are in a domain,
// worked out from a forest, layer by layer.
type truth struct {
	// sure are restricted in each of them, and may are those that may be.
	sure, may access.Rights
	// shallow and most bound the depth of the shallowest.
	shallow, most int
	// newer: one of them has a layer with rights that nobody knows.
	newer  bool
	doubts map[string]bool
}

const noBound = 1 << 20

// truthOf returns what is true of some processes together.
func (f *forest) truthOf(processes ...*processSpec) truth {
	t := truth{sure: access.Every(), may: access.Every(), shallow: noBound, most: noBound, doubts: map[string]bool{}}
	for _, p := range processes {
		for i := range p.threads {
			if p.threads[i].place != inNone {
				f.addThread(&t, &p.threads[i])
			}
		}
	}
	return t
}

func (f *forest) addThread(all *truth, t *threadSpec) {
	var sure, may access.Rights
	depth, most := 0, 0
	if t.place < 0 {
		may, depth, most = access.Every(), max(1, int(t.depth)), noBound
		if t.exact {
			most = depth
		}
		all.doubts["not all of its layers are known"] = true
	}
	for d := t.place; d >= 0; d = f.domains[d].parent {
		depth++
		s, m := f.layer(all, t, d)
		sure, may = sure.Union(s), may.Union(m)
	}
	if t.place >= 0 {
		if most = depth; f.domains[t.place].rootless {
			may, most = access.Every(), noBound
			all.doubts["not all of its layers are known"] = true
		}
	}
	all.sure, all.may = all.sure.Intersect(sure), all.may.Intersect(may)
	all.shallow, all.most = min(all.shallow, depth), min(all.most, most)
}

// layer returns what one layer is sure to restrict for a thread, and what it may.
func (f *forest) layer(all *truth, t *threadSpec, domain int) (sure, may access.Rights) {
	d := &f.domains[domain]
	if d.unseen {
		all.doubts["not all of its layers are known"] = true
		return access.Rights{}, access.Every()
	}
	if d.newer {
		all.newer = true
		all.doubts["a layer handles rights that are newer than this landlockd"] = true
	}
	may = d.handled
	if may[access.FS] != 0 && f.kernel.ABI >= 2 {
		may[access.FS] |= 1 << 13
	}
	if f.source.Rules != "read" {
		return may, may
	}
	sure = may
	switch {
	case t.blind != 0:
		if sure[access.FS] != 0 {
			sure[access.FS] = 0
			all.doubts[sentences[t.blind]] = true
		}
	default:
		above := 0
		for o := d.parent; o >= 0; o = f.domains[o].parent {
			above++
		}
		sure[access.FS] &^= t.grants[above]
		may[access.FS] &^= t.grants[above]
	}
	if !d.unread {
		sure[access.Net] &^= d.everyPort
		may[access.Net] &^= d.everyPort
	} else if sure[access.Net] != 0 {
		sure[access.Net] = 0
		all.doubts["not all of its rules were read"] = true
	}
	return sure, may
}

var sentences = map[domainid.Doubt]string{
	domainid.RulesUnread:  "not all of its rules were read",
	domainid.RootChanging: "its root directory was moved while it was looked at",
	domainid.RootTooDeep:  "its root directory is too deep below the top of its mounts",
	domainid.RootDetached: "its root directory is cut off from the top of its mount",
}

// effective reports whether a process's threads in domains are restricted at all.
func (f *forest) effective(p *processSpec) access.Answer {
	t := f.truthOf(p)
	switch {
	case !t.sure.Empty(), !t.may.Empty() && f.source.Rules != "read":
		return access.Yes
	case !t.may.Empty(), t.newer:
		return access.Unknown
	default:
		return access.No
	}
}

// outside reports whether a worker of a process may do what no thread of it may.
func (f *forest) outside(p *processSpec) access.Answer {
	answer := access.No
	if p.state() != scan.Sandboxed {
		return answer
	}
	for _, w := range p.workers {
		for _, place := range w {
			answer = answer.Or(f.outsideAt(p, place))
		}
	}
	return answer
}

func (f *forest) outsideAt(p *processSpec, place int) access.Answer {
	if place == inNone {
		return access.Yes
	}
	for d := place; d >= 0; d = f.domains[d].parent {
		if slices.ContainsFunc(p.threads, func(t threadSpec) bool { return t.place == d }) {
			return access.No
		}
	}
	lost := slices.ContainsFunc(p.threads, func(t threadSpec) bool { return t.place == inDomain })
	if place < 0 || lost || f.domains[place].rootless {
		return access.Unknown
	}
	return access.Yes
}

// free returns the number of threads in no domain, and of those that may be.
func (p *processSpec) free() (free, dark int) {
	for _, t := range p.threads {
		switch t.place {
		case inNone:
			free++
		case inDark:
			dark++
		}
	}
	return free, dark
}

// about reports whether what a label names is a process: "yes", "no", "unknown",
// or "nothing known" where nothing speaks for it; and what is not known.
func (p *processSpec) about(label string) (answer, why string) {
	if label, ok := strings.CutSuffix(label, children); ok {
		answer, why = p.about(label)
		switch main := p.main(); {
		case main == "yes":
			return "no", ""
		case main == "nothing known" && answer != "no":
			return main, ""
		default:
			return answer, why
		}
	}
	kind, name, _ := strings.Cut(label, " ")
	switch {
	case kind == "unit":
		unit, exe, both := strings.Cut(name, " with ")
		answer = yesNo(p.where.unit == unit)
		if p.where.lost {
			answer = "nothing known"
		}
		if !both || answer == "no" {
			return answer, ""
		}
		of, why := p.runs(exe, true)
		if answer == "yes" || of == "no" {
			return of, why
		}
		return answer, ""
	case strings.HasPrefix(label, "container with "):
		name = strings.TrimPrefix(label, "container with ")
		if may := p.exe == "" || p.program() == name; may && (p.where.lost || p.where.container && p.exe == "") {
			return "nothing known", ""
		}
		return yesNo(p.where.container && p.program() == name), ""
	case kind == "container":
		if p.where.lost {
			return "nothing known", ""
		}
		return yesNo(p.where.container && p.where.namespace+"/"+p.where.name == name), ""
	default:
		return p.runs(name, false)
	}
}

// runs reports whether it runs a program: a file of the host or, where the unit is
// given, of the unit's root directory.
func (p *processSpec) runs(program string, unit bool) (answer, why string) {
	switch {
	case p.origin == scan.OfImage && !unit || p.origin == scan.OfUser:
		return "no", ""
	case p.exe == "":
		return "nothing known", ""
	case p.program() != program:
		return "no", ""
	case p.origin == scan.OriginUnknown:
		return "unknown", "exe: it is not known who put its executable where its path says that it is"
	default:
		return "yes", ""
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// label returns what a process is called in suggestions, and why no rule of that
// name is about it, or that there is none.
func (p *processSpec) label() (label, nameless string) {
	where := &p.where
	switch {
	case where.container && where.name != "":
		return "container " + where.namespace + "/" + where.name, ""
	case where.unit != "":
		if where.delegated && strings.HasPrefix(p.exe, "/") && !strings.HasPrefix(p.exe, "/memfd:") {
			if answer, _ := p.runs(p.program(), true); answer == "yes" {
				return "unit " + where.unit + " with " + p.program(), ""
			}
		}
		return "unit " + where.unit, ""
	case p.exe == "":
		return "command comm", "no rule: its program is not known, and a process chooses its own name"
	case strings.HasPrefix(p.exe, "/memfd:"):
		return "program " + p.program(), "no rule: its program is in no file"
	case where.container:
		return "container with " + p.program(), ""
	}
	label = "program " + p.program()
	switch answer, why := p.about(label); answer {
	case "yes":
		return label, ""
	case "no":
		why := "any user could have put its executable where its path says that it is, " +
			"and the match has neither container nor mntns"
		if p.origin == scan.OfImage {
			why = "its executable is below another root directory than the host's, " +
				"and the match has neither unit nor container nor mntns"
		}
		return label, "no rule: none would be about it: exe: " + why
	default:
		return label, "no rule: it is not known whether one would be about it: " + why
	}
}

// main reports whether its parent is outside its workload: "yes", "no" or "nothing known".
func (p *processSpec) main() string {
	if p.parent == nil {
		return "yes" // the first process, which no scan shows
	}
	a, b := p.where, p.parent.where
	if a.lost || b.lost {
		return "nothing known"
	}
	// Containers of a forest have one ID, and those with names one pod.
	same := a.container && b.container && (a.name != "") == (b.name != "") ||
		!a.container && !b.container && a.unit == b.unit
	return yesNo(!same)
}
