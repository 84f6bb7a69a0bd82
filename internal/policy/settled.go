// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"os"
	"time"
)

// tries is how often files are read that are replaced meanwhile.
const tries = 5

// settled loads until no file was replaced, or written to, since it was read. Of two
// configurations that are each whole, parts of both would be a third one, which nobody wrote.
// Whoever replaces files without a pause gets an error.
func settled(name string, load func(*loader) (*Config, error)) (*Config, error) {
	pause := 5 * time.Millisecond
	for range tries {
		l := newLoader()
		if c, err := load(l); l.unchanged() {
			return c, err
		}
		time.Sleep(pause)
		pause *= 2
	}
	return nil, &LoadError{[]Problem{{File: name, Message: "it, or a rule file, was replaced while " +
		"it was read: load it again when all files are written"}}}
}

// source is a file as it was read; nil if it was not there.
type source struct {
	path string
	info os.FileInfo
}

// unchanged reports whether all that was read is at its paths as it was.
func (l *loader) unchanged() bool {
	for _, s := range l.sources {
		now, err := os.Stat(s.path)
		if (err == nil) != (s.info != nil) {
			return false
		}
		if err == nil && (!os.SameFile(now, s.info) || now.Size() != s.info.Size() ||
			!now.ModTime().Equal(s.info.ModTime())) {
			return false
		}
	}
	return true
}
