// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// Explanation is what one rule has to do with one process.
type Explanation struct {
	Rule *Rule
	// Applies reports whether the rule is about the process.
	Applies access.Answer
	// Result and Reason have no meaning if Applies is No.
	Result Result
	Reason Reason
	// Why is why the rule is not about the process, or why that is not known; of one
	// that it is about, what is missing or not known. It is in words, without text that
	// others chose, and empty of what is compliant.
	Why string
}

// Explain reports for every rule whether it is about a process of a snapshot, and
// with which result. It remembers nothing.
func (e *Evaluator) Explain(s *scan.Snapshot, p *scan.Process) []Explanation {
	f := allFactsOf(s, p, e.seen)
	exempt := e.config.exemption(&f)
	cmd := e.cmdlineOf(p)
	age := age(uptime(s), p)
	all := make([]Explanation, len(e.config.Rules))
	for i := range all {
		rule := &e.config.Rules[i]
		x := &all[i]
		x.Rule = rule
		l, w := rule.about(&f, exempt, cmd)
		if x.Applies = l.answer(); x.Applies != access.Yes {
			x.Result, x.Why = Unknown, w.words(rule, l, &f)
			continue
		}
		x.Result, x.Reason, x.Why = rule.Expect.Judge(s, p)
		if x.Result == Violating && age < rule.Grace {
			x.Result = Starting
			x.Why = fmt.Sprintf("%s; it is %.1f s old, of a grace of %s", x.Why, age.Seconds(), rule.Grace)
		}
	}
	return all
}

// allFactsOf returns the facts of one process.
func allFactsOf(s *scan.Snapshot, p *scan.Process, what seen) facts {
	f := factsOf(s, p, &what)
	above := newAncestors(what.ancestors)
	above.begin(s)
	f.ancestors = above.of(s, s.Index(p.PID))
	return f
}

// About reports whether a match is about a process of a snapshot, and why not, or why
// that is not known, in words without text that others chose. It looks at no command
// line.
func (m *Match) About(s *scan.Snapshot, p *scan.Process) (applies access.Answer, why string) {
	r := Rule{Match: *m}
	r.Match.ancestry = 0
	var what seen
	what.add(&r.Match)
	f := allFactsOf(s, p, what)
	l, w := r.about(&f, no, nil)
	if l != yes {
		why = w.words(&r, l, &f)
	}
	return l.answer(), why
}

// words returns why a rule is not about a process, or why that is not known.
func (w why) words(r *Rule, l level, f *facts) string {
	switch {
	case w.exempt && l == no:
		return "it is exempt from all rules"
	case w.exempt:
		return "it is not known whether it is exempt from all rules"
	case w.except && l == no:
		return "except is about it"
	case w.except:
		return "it is not known whether except is about it: " + keyWords(w.key, l, f)
	case l == no && r.Match.distrusts(w.key, f):
		if f.exe.origin == scan.OfImage {
			return w.key + ": its executable is below another root directory than the host's, " +
				"and the match has neither unit nor container nor mntns"
		}
		return w.key + ": any user could have put its executable where its path says that it is, " +
			"and the match has neither container nor mntns"
	default:
		return keyWords(w.key, l, f)
	}
}

// distrusts reports whether a key would be about a process if its executable's path
// were believed.
func (m *Match) distrusts(key string, f *facts) bool {
	if m.trusts(f.exe.origin) != no {
		return false
	}
	believing := *m
	believing.AnyMountNS = true
	switch key {
	case "exe":
		return believing.exeLevel(f) != no
	case "comm":
		return believing.commLevel(f) != no
	default:
		return false
	}
}

func keyWords(key string, l level, f *facts) string {
	if l == no {
		switch {
		case key == "unit" && f.place >= inContainer:
			return "unit: it is in a container, so no unit names it"
		case key == "unit" && f.unit == "", key == "container" && f.place < inContainer, f.place < inPod && (key == "namespace" || key == "pod"):
			return fmt.Sprintf("%s: it is in none", key)
		default:
			return key + " does not match"
		}
	}
	switch key {
	case "comm", "exe":
		switch {
		case f.exe.origin == scan.OriginUnknown:
			return key + ": it is not known who put its executable where its path says that it is"
		case f.exe.cut:
			return key + ": not all of its path is known"
		default:
			return key + ": its path is not known"
		}
	case "cmdline":
		return "cmdline: it could not be read"
	case "container", "namespace", "pod":
		if f.place != nowhere {
			return key + ": the container's name is not known"
		}
	}
	return key + ": " + why{key: key}.doubt(f).Words()
}
