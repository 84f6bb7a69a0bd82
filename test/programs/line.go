// SPDX-License-Identifier: Apache-2.0

package programs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/access"
)

// Rule is what a task asked for with landlock_add_rule(2).
type Rule struct {
	Class access.Class
	// Path is what the rule is on, as its descriptor was when it was added; Port if
	// Class is access.Net.
	Path string
	Port uint16
	// Rights is the mask of what it grants.
	Rights uint32
}

// event is what one line says. One of its parts is set.
type event struct {
	// made is a ruleset that now has the descriptor fd.
	made *Layer
	fd   int
	// rule was added to the ruleset with the descriptor fd.
	rule *Rule
	// restricted: the task is in one more domain, of the ruleset with the descriptor fd.
	restricted bool
	// child is a task that this one made, as strace names it; shares: their descriptors
	// are the same ones.
	child  int32
	shares bool
	// ended: the task is gone.
	ended bool
}

// Flags of the system calls, include/uapi/linux/landlock.h. Those of
// landlock_restrict_self(2) that are known here are about logs; what another one
// does to which tasks is not known here, so that it is an error.
const (
	queryFlags = 1 | 2
	logFlags   = 1 | 2 | 4
)

// shareFiles is CLONE_FILES of clone(2).
const shareFiles = 0x400

// Kinds of rules.
const (
	pathBeneath = 1
	netPort     = 2
)

// The lines, as strace writes them with the options of [job.enter]: numbers are not
// translated, and descriptors have what they stand for.
var (
	gone       = regexp.MustCompile(`^\+\+\+ (?:exited with \d+|killed by \w+(?: \(core dumped\))?) \+\+\+$`)
	superseded = regexp.MustCompile(`(?m)^\+\+\+ superseded by execve in pid (\d+) \+\+\+\n`)
	stop       = regexp.MustCompile(`^--- stopped by \w+ ---$`)
	call       = regexp.MustCompile(`^(\w+)\((.*)\) += (.*)$`)
	// failed: nothing was done, or what is done is in a line to come.
	failed = regexp.MustCompile(`^(?:-1 E[A-Z0-9]+|\? ERESTART\w*) \(.*\)$`)
	zero   = regexp.MustCompile(`^0(?: \(INJECTED: signal=\w+\))?$`)
	number = regexp.MustCompile(`^\d+$`)
	opened = regexp.MustCompile(`^(\d+)<anon_inode:\[landlock-ruleset\]>$`)
	cloned = regexp.MustCompile(`^(\d+)(?: /\* (\d+) in strace's PID NS \*/)?$`)

	argsQuery  = regexp.MustCompile(`^NULL, 0, (\w+)$`)
	argsCreate = regexp.MustCompile(`^\{handled_access_fs=(\w+)` +
		`(?:, handled_access_net=(\w+))?(?:, scoped=(\w+))?\}, \d+, 0$`)
	argsRule = regexp.MustCompile(`^(\d+)<[^<>]*>, (\w+), ` +
		`\{allowed_access=(\w+), (?:parent_fd=\d+<(/[^<>\\]*)>|port=(\d+))\}, 0$`)
	argsFlags    = regexp.MustCompile(`\bflags=(0x[0-9a-f]+|0)\b`)
	argsRestrict = regexp.MustCompile(`^(\d+)<[^<>]*>, (\w+)$`)
)

// parseLine reads one line of a task's file. A line that says nothing of a sandbox is
// an event without anything; one that is not understood is an error.
func parseLine(line string) (event, error) {
	if gone.MatchString(line) {
		return event{ended: true}, nil
	}
	if stop.MatchString(line) {
		return event{}, nil
	}
	m := call.FindStringSubmatch(line)
	if m == nil {
		return event{}, fmt.Errorf("strace: a line that is not understood: %.300q", line)
	}
	name, args, result := m[1], m[2], m[3]
	if failed.MatchString(result) {
		return event{}, nil
	}
	p := lineParser{args: args, result: result}
	var e event
	switch name {
	case "landlock_create_ruleset":
		e = p.createRuleset()
	case "landlock_add_rule":
		e = p.addRule()
	case "landlock_restrict_self":
		e = p.restrictSelf()
	case "clone", "clone3", "fork", "vfork":
		e = p.clone(name)
	default:
		p.bad = true
	}
	if p.bad {
		return event{}, fmt.Errorf("strace: a system call that is not understood: %.300q", line)
	}
	return e, nil
}

// lineParser reads the arguments and the result of a system call that succeeded.
type lineParser struct {
	args, result string
	bad          bool
}

// match returns the groups of an expression that must match the whole of a text.
func (p *lineParser) match(r *regexp.Regexp, text string) []string {
	m := r.FindStringSubmatch(text)
	if m == nil {
		p.bad = true
		m = make([]string, r.NumSubexp()+1)
	}
	return m
}

// number reads a number of so many bits, 0 if there is none.
func (p *lineParser) number(text string, bits int) uint64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 0, bits)
	p.bad = p.bad || err != nil
	return n
}

func (p *lineParser) createRuleset() (e event) {
	if strings.HasPrefix(p.args, "NULL") {
		flags := p.number(p.match(argsQuery, p.args)[1], 32)
		p.bad = p.bad || flags&^queryFlags != 0 || flags == 0
		p.match(number, p.result)
		return e
	}
	e.fd = int(p.number(p.match(opened, p.result)[1], 31))
	m := p.match(argsCreate, p.args)
	var handled access.Rights
	for class := range access.NumClasses {
		handled[class] = uint32(p.number(m[1+class], 32))
	}
	e.made = &Layer{Handled: handled}
	return e
}

func (p *lineParser) addRule() (e event) {
	p.match(zero, p.result)
	m := p.match(argsRule, p.args)
	e.fd = int(p.number(m[1], 31))
	e.rule = &Rule{Rights: uint32(p.number(m[3], 32)), Path: m[4], Port: uint16(p.number(m[5], 16))}
	switch kind := p.number(m[2], 32); {
	case kind == pathBeneath && m[4] != "":
		e.rule.Class = access.FS
	case kind == netPort && m[5] != "":
		e.rule.Class = access.Net
	default:
		p.bad = true
	}
	return e
}

func (p *lineParser) restrictSelf() event {
	p.match(zero, p.result)
	m := p.match(argsRestrict, p.args)
	p.bad = p.bad || p.number(m[2], 32)&^logFlags != 0
	return event{restricted: true, fd: int(p.number(m[1], 31))}
}

func (p *lineParser) clone(name string) event {
	m := p.match(cloned, p.result)
	text := m[1]
	if m[2] != "" {
		text = m[2] // the number before is that of another PID namespace
	}
	child := int32(p.number(text, 31))
	p.bad = p.bad || child == 0
	var flags uint64
	if strings.HasPrefix(name, "clone") {
		flags = p.number(p.match(argsFlags, p.args)[1], 64)
	}
	return event{child: child, shares: flags&shareFiles != 0}
}
