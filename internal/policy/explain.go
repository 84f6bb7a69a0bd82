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
		l, w := rule.about(&f, exempt, cmd, s.Time)
		if x.Applies = l.answer(); x.Applies != access.Yes {
			x.Result, x.Why = Unknown, w.words(rule, l, &f)
			continue
		}
		x.Result, x.Reason, x.Why = rule.Expect.Judge(s, p)
		if x.Result == Violating && age < rule.Grace {
			x.Result = Starting
			x.Why = fmt.Sprintf("%s; it is %.1f s old, of a grace of %s", x.Why, age.Seconds(), rule.Grace)
		}
		a := w.accepted
		if a == nil && rule.Accept.InForce(s.Time) {
			a = rule.Accept
		}
		if x.Result == Violating && a != nil {
			x.Result = Waived
			x.Why += "; " + a.Words()
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
	l, w := r.about(&f, no, nil, s.Time)
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
			return w.key.String() + ": its executable is below another root directory than the " +
				"host's, and the match has neither unit nor container nor mntns"
		}
		return w.key.String() + ": any user could have put its executable where its path says " +
			"that it is, and the match has neither container nor mntns"
	default:
		return keyWords(w.key, l, f)
	}
}

// distrusts reports whether a key would be about a process if its executable's path
// were believed.
func (m *Match) distrusts(k Key, f *facts) bool {
	if m.trusts(f.exe.origin) != no || k != KeyExe && k != KeyComm {
		return false
	}
	believing := *m
	believing.AnyMountNS = true
	return believing.keyLevel(k, f) != no
}

func keyWords(k Key, l level, f *facts) string {
	words := k.doubt(f).Words()
	switch {
	case l != no && (k == KeyComm || k == KeyExe) && f.exe.origin == scan.OriginUnknown:
		words = "it is not known who put its executable where its path says that it is"
	case l != no && k == KeyExe && f.exe.cut:
		words = "not all of its path is known"
	case l != no && k == KeyExe:
		words = "its path is not known"
	case l != no:
	case k == KeyUnit && f.place >= inContainer:
		words = "it is in a container, so no unit names it"
	case k == KeyUnit && f.texts[k] == "", f.place < k.where():
		words = "it is in none"
	default:
		return k.String() + " does not match"
	}
	return k.String() + ": " + words
}
