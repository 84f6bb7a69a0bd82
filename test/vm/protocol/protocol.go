// SPDX-License-Identifier: Apache-2.0

// Package protocol is what a guest says to its host over the serial console:
// one line for each statement, marked at both ends, so that the kernel's own
// messages on the same console cannot be taken for it and a line that was cut
// or mixed with another is noticed.
//
//	@@BEGIN scan@@
//	@@FACT scan offset "0"@@
//	@@LOG scan "free text"@@
//	@@RESULT scan ok ""@@
//	@@DONE 1@@
package protocol

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// CommandLine is the parameter on the guest's kernel command line that names
// its checks, separated by commas, each with arguments behind colons:
// landlockd.checks=report,truth:seeds=3:hostile=1
const CommandLine = "landlockd.checks"

// KnownFault is the key of the fact that a kernel complained of something that is
// known to be its own. It is always printed.
const KnownFault = "known_fault"

// TooSlow is the key of the fact that something that a check measures by could not keep its
// pace. If the check has failed, the guest is booted once more.
const TooSlow = "too_slow"

// Status is the outcome of one check.
type Status string

// The outcomes. Skip means that this kernel cannot be asked the question.
const (
	OK   Status = "ok"
	Fail Status = "fail"
	Skip Status = "skip"
)

// Kind is the first word of a line.
type Kind string

// The kinds of line.
const (
	Begin  Kind = "BEGIN"
	Fact   Kind = "FACT"
	Log    Kind = "LOG"
	Result Kind = "RESULT"
	Done   Kind = "DONE"
)

// Line is one statement. Which fields are set depends on its kind.
type Line struct {
	Kind  Kind
	Check string
	// Key is a Fact's name, a Result's Status, and the number of results of Done.
	Key string
	// Text is a Fact's value, a Log's text, and a Result's detail.
	Text string
}

// maxText bounds one line: the console is slow.
const maxText = 16 << 10

func (l Line) String() string {
	text := l.Text
	if len(text) > maxText {
		text = text[:maxText] + "... (cut)"
	}
	switch l.Kind {
	case Begin:
		return fmt.Sprintf("@@%s %s@@", l.Kind, l.Check)
	case Done:
		return fmt.Sprintf("@@%s %s@@", l.Kind, l.Key)
	case Log:
		return fmt.Sprintf("@@%s %s %s@@", l.Kind, l.Check, strconv.QuoteToASCII(text))
	default:
		return fmt.Sprintf("@@%s %s %s %s@@", l.Kind, l.Check, l.Key, strconv.QuoteToASCII(text))
	}
}

var line = regexp.MustCompile(`@@(?:(BEGIN) (\S+)|(DONE) (\d+)|(LOG) (\S+) (".*")|(FACT|RESULT) (\S+) (\S+) (".*"))@@$`)

// Parse returns the statement of a console line, and whether it holds one.
func Parse(s string) (Line, bool) {
	m := line.FindStringSubmatch(strings.TrimRight(s, "\r\n"))
	if m == nil {
		return Line{}, false
	}
	var l Line
	quoted := `""`
	switch {
	case m[1] != "":
		l = Line{Kind: Begin, Check: m[2]}
	case m[3] != "":
		l = Line{Kind: Done, Key: m[4]}
	case m[5] != "":
		l, quoted = Line{Kind: Log, Check: m[6]}, m[7]
	default:
		l, quoted = Line{Kind: Kind(m[8]), Check: m[9], Key: m[10]}, m[11]
	}
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return Line{}, false
	}
	l.Text = text
	return l, true
}
