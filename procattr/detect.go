// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// Layers of the helpers, beyond those of the process that makes them: one is
// free, two are in domains of known and different depth.
const (
	shallowLayers = 3
	deepLayers    = 5
)

// sample is what was read of one helper: text, or why there is none.
type sample struct {
	text []byte
	err  error // of openat(2) or read(2)
	// dir reports whether the directory was there that the file belongs in.
	dir bool
}

// String quotes at most 32 bytes of the text: the kernel may have written something
// that is not known here.
func (s sample) String() string {
	if s.err != nil {
		return s.err.Error()
	}
	return fmt.Sprintf("%.32q", s.text)
}

// helpers are the samples of the free helper and of the two sandboxed ones.
type helpers struct {
	// own is the depth of the domain that this process is in itself, and so
	// the free helper too: the others are that much deeper.
	own                 int
	free, shallow, deep sample
}

// dialect is how a kernel shows a task's state to this process.
type dialect struct {
	form *form // nil: Landlock is not enabled, and nothing is read
	// file is the name of the attribute below attr/landlock.
	file string
	// own is how many domains this process is in itself.
	own int
	// absentIsOut: a task without a domain has no file. Elsewhere a file that
	// is missing may as well be hidden.
	absentIsOut bool
}

var errNoAttribute = errors.New("no helper has the file")

// detect returns the one dialect in which the samples show what is true of the helpers.
// An error wraps errNoAttribute if there is no such interface; otherwise there is one
// that is not understood.
func detect(h helpers) (dialect, error) {
	if isAbsent(h.shallow) && isAbsent(h.deep) {
		return dialect{}, errNoAttribute
	}
	absentIsOut := h.own == 0 && errors.Is(h.free.err, unix.ENOENT) && h.free.dir
	var fitting []*form
	for _, f := range forms {
		if f.fits(h, absentIsOut) {
			fitting = append(fitting, f)
		}
	}
	// Any text fits the presence of the file, where the free helper has none.
	if n := len(fitting); n > 1 && fitting[n-1].absence {
		fitting = fitting[:n-1]
	}
	switch len(fitting) {
	case 1:
		return dialect{form: fitting[0], absentIsOut: absentIsOut}, nil
	case 0:
		return dialect{}, fmt.Errorf("a helper in %d domains reads %v, one in %d %v, one in %d %v",
			h.own, h.free, h.own+shallowLayers, h.shallow, h.own+deepLayers, h.deep)
	default:
		words := make([]string, len(fitting))
		for i, f := range fitting {
			words[i] = f.name
		}
		return dialect{}, fmt.Errorf("the text %v may mean %s", h.shallow, strings.Join(words, " or "))
	}
}

// isAbsent reports whether a sample shows no interface at all: no directory, or a file
// that no security module answers for.
func isAbsent(s sample) bool {
	return errors.Is(s.err, unix.ENOENT) && !s.dir ||
		errors.Is(s.err, unix.EINVAL) || errors.Is(s.err, unix.EOPNOTSUPP)
}

// fits reports whether a form is right for all helpers.
func (f *form) fits(h helpers, absentIsOut bool) bool {
	if h.shallow.err != nil || h.deep.err != nil {
		return false
	}
	shallow, deep := f.read(h.shallow.text), f.read(h.deep.text)
	switch {
	case shallow.state != scan.Sandboxed, deep.state != scan.Sandboxed,
		f.layers && int(shallow.layers) != h.own+shallowLayers,
		f.layers && int(deep.layers) != h.own+deepLayers,
		f.ids && shallow.id == deep.id:
		return false
	case h.own > 0:
		// What this process reads of its own domain proves nothing.
		return !f.loose
	case absentIsOut:
		return !f.loose || f.absence
	}
	return h.free.err == nil && f.read(h.free.text).state == scan.Unsandboxed
}
