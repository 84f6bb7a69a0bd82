// SPDX-License-Identifier: Apache-2.0

package known

import (
	"fmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// conclude finds the verdict, and puts it into words.
func (p *Program) conclude(s *scan.Snapshot) {
	n := &p.Processes
	switch {
	case s.Kernel.Landlock != scan.Enabled:
		p.Verdict = Impossible
		p.say("this kernel can sandbox nothing")
	case n.Total() == 0:
		p.idle()
	case n.Weaker > 0:
		p.Verdict = Weaker
		p.say("%s: %s", p.some(n.Weaker), p.weakWords())
	case n.Partial > 0:
		p.Verdict = Partial
		p.threads(s)
	case n.Unsandboxed > 0 && n.Unsandboxed < n.Total()-n.Unknown-n.Starting && p.oftenSome():
		p.Verdict = Partial
		p.say("%s: in no domain", p.some(n.Unsandboxed))
		p.explain()
	case n.Unsandboxed > 0:
		p.unsandboxed()
	case n.Unknown+n.Starting > 0:
		p.Verdict = Unknown
	default:
		p.Verdict = Sandboxed
	}
	if n.Unknown > 0 {
		p.say("of %s it is not known", plural.Count(n.Unknown, "process"))
	}
	if p.Elsewhere > 0 {
		p.say("%d of them from a file that is not the host's: a container's, or anybody's", p.Elsewhere)
	}
	if n.Starting > 0 {
		p.say("%s too young to be judged: look again", plural.Are(n.Starting, "process"))
	}
}

func (p *Program) say(format string, args ...any) {
	p.Reasons = append(p.Reasons, fmt.Sprintf(format, args...))
}

// some returns how many of its processes are meant.
func (p *Program) some(n int) string {
	if all := p.Processes.Total(); n < all {
		return fmt.Sprintf("%d of %s", n, plural.Count(all, "process"))
	}
	return plural.Count(n, "process")
}

// oftenSome reports whether it is usual that only some of its processes are sandboxed.
func (p *Program) oftenSome() bool { return p.When != policy.ByDefault || p.Who == policy.Child }

// idle is for a program that is installed, and not seen to run.
func (p *Program) idle() {
	switch answers := p.installedAnswer(); {
	case answers == access.No:
		p.Verdict = OtherVersion
		p.otherVersion()
	case p.When == policy.Launcher:
		p.Verdict = Launches
		p.ToDo = p.On
	default:
		p.Verdict = NotRunning
		if answers == access.Unknown {
			p.say("whether this version sandboxes is not known: %s", p.versions())
		}
		if p.When == policy.Optional {
			p.ToDo = p.On
		}
	}
}

// threads says why only some threads are sandboxed.
func (p *Program) threads(s *scan.Snapshot) {
	p.say("%s: in some threads only", p.some(p.Processes.Partial))
	switch {
	case p.Who == policy.Thread && s.Kernel.ABI < p.ABI:
		p.say("it has threads when it restricts itself, and can restrict all of them from Landlock "+
			"ABI %d on (this kernel: %d)", p.ABI, s.Kernel.ABI)
	case p.Who == policy.Thread:
		p.say("this kernel lets it restrict all threads (Landlock ABI %d), and it did not", s.Kernel.ABI)
	default:
		p.say("that is not known of it")
	}
}

// unsandboxed is for a program none of whose processes is, as far as is known, or one that should
// be in any case.
func (p *Program) unsandboxed() {
	p.say("%s: in no domain", p.some(p.Processes.Unsandboxed))
	switch {
	case p.free[access.No] == p.Processes.Unsandboxed:
		p.Verdict = OtherVersion
		p.otherVersion()
	case p.When != policy.ByDefault:
		p.Verdict = Off
		p.ToDo = p.On
	case p.free[access.Yes] > 0:
		p.Verdict = Missing
		p.say("by default it sandboxes itself")
		if p.Who == policy.Child {
			p.Reasons[len(p.Reasons)-1] = "by default it sandboxes what it starts"
		}
		p.explain()
	default:
		p.Verdict = Unknown
		p.say("whether this version sandboxes is not known: %s", p.versions())
		p.explain()
	}
}

// explain adds what keeps a sandbox off.
func (p *Program) explain() {
	if p.Off != "" {
		p.say("what keeps it off: %s", p.Off)
	}
	if p.When != policy.ByDefault {
		p.ToDo = p.On
	}
}

func (p *Program) otherVersion() { p.say("this version does not: %s", p.versions()) }

// versions says which versions do.
func (p *Program) versions() string {
	switch {
	case p.Since != "" && p.Until != "":
		return fmt.Sprintf("%s and later do, %s and later do not", p.Since, p.Until)
	case p.Since != "":
		return p.Since + " and later do"
	case p.Until != "":
		return p.Until + " and later do not"
	default:
		return "it is not recorded which do"
	}
}

// weakWords says what is less than is known of a program.
func (p *Program) weakWords() string {
	switch p.weak {
	case policy.RightNotRestricted:
		return "not restricted in all rights that are known of it"
	case policy.RestrictsNothing:
		return "in a domain that restricts nothing"
	default:
		return p.weak.String()
	}
}

// installedAnswer reports whether what is installed is of a version that sandboxes.
func (p *Program) installedAnswer() access.Answer {
	answer := sandboxes(p.Known, p.Installed[0].Upstream)
	for _, at := range p.Installed[1:] {
		if sandboxes(p.Known, at.Upstream) != answer {
			return access.Unknown
		}
	}
	return answer
}
