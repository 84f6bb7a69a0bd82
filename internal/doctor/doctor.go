// SPDX-License-Identifier: Apache-2.0

// Package doctor finds out what works on this host, what does not, why, and what to do.
package doctor

import (
	"fmt"
	"io"

	"github.com/landlockd/landlockd/internal/untrusted"
)

// Options are where to look.
type Options struct {
	// ProcFS and SysFS are where these are mounted.
	ProcFS, SysFS string
	// RootFS is where the host's root directory is; "/" if empty.
	RootFS string
	// Address is where landlockd serves metrics by default.
	Address string
}

// check is one thing to look at. It changes nothing on the host.
type check func(*host, say)

// checks are all of them, in the order of the output. Another one takes a file of its
// own and a line here.
func checks() []check {
	return []check{
		checkKernel, checkIterator, checkAttribute, checkScan, checkWorkloads, checkCounters,
		checkDenials, checkRuns, checkAssets, checkListening, checkMore,
	}
}

// say writes what is found, a line: what it is about, and a sentence. Text of others in that
// need not be escaped.
type say func(m mark, what, format string, args ...any)

type mark string

const (
	ok   mark = "ok"
	note mark = "note" // something does without, or an operator should know
	fail mark = "FAIL" // the host cannot be scanned, or not all of it
)

// Examine writes what it finds, a line each, and reports whether this host can be
// scanned. One source is enough: that the other does not work is a note then. An error
// is one of writing.
func Examine(w io.Writer, o Options) (works bool, err error) {
	h := openHost(o)
	defer h.close()
	return examine(w, h, checks())
}

func examine(w io.Writer, h *host, checks []check) (works bool, err error) {
	works = true
	say := func(m mark, what, format string, args ...any) {
		works = works && m != fail
		if err == nil {
			text := untrusted.OneLine(fmt.Sprintf(format, args...))
			_, err = fmt.Fprintf(w, "%-6s %-18s %s\n", "["+m+"]", what, text)
		}
	}
	for _, check := range checks {
		if check(h, say); err != nil {
			return false, fmt.Errorf("write the result: %w", err)
		}
	}
	return works, nil
}

// worse is the mark of a source that does not work.
func worse(otherWorks bool) mark {
	if otherWorks {
		return note
	}
	return fail
}
