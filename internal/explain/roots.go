// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"

	"github.com/landlockd/landlockd/internal/untrusted"
)

// Roots are the root directories of a process's threads.
type Roots struct {
	// NotKnown is why they are not known. Empty: they are.
	NotKnown string
	// All are the different ones, that from which paths are seen first.
	All []Root
}

// Root is the root directory of threads.
type Root struct {
	TIDs []int32 `json:"tids"`
	// Path is as the kernel gives it: as the reader finds it, but in OtherMounts
	// from the top of those.
	Path untrusted.Text `json:"path"`
	// Own: it is not the reader's.
	Own bool `json:"of_its_own"`
	// OtherMounts: its threads are in another mount namespace than the reader.
	OtherMounts bool `json:"mount_namespace_of_its_own"`
	// Mounted is what is mounted on it, nil if nothing is.
	Mounted *Mounted `json:"mounted"`
}

// Mounted is a directory of a filesystem that is mounted.
type Mounted struct {
	// Path is that of the directory in its filesystem.
	Path untrusted.Text `json:"path"`
	// Type and Dev are the filesystem's, as in /proc/[pid]/mountinfo: "ext4", "8:1".
	Type untrusted.Text `json:"type"`
	Dev  untrusted.Text `json:"dev"`
}

// first returns the root directory from which paths are seen, nil if that is the
// reader's or not known.
func (r *Roots) first() *Root {
	if r == nil || len(r.All) == 0 || !r.All[0].Own && !r.All[0].OtherMounts {
		return nil
	}
	return &r.All[0]
}

func (t *textWriter) roots() {
	r := t.e.Roots
	switch {
	case r == nil:
	case r.NotKnown != "":
		t.line("  root        not known: %s", plain(r.NotKnown))
	case len(r.All) == 1 && r.All[0].Own:
		t.line("  root        %s", t.rootText(&r.All[0]))
	case len(r.All) > 1:
		t.first(maxRoots, len(r.All), "  root        %d more: -o json has them", func(i int) {
			t.line("  root        %s, of %s", t.rootText(&r.All[i]), threadsText(r.All[i].TIDs))
		})
	}
}

// maxRoots is how many root directories text has.
const maxRoots = 8

func (t *textWriter) rootText(r *Root) string {
	text := t.name(string(r.Path))
	switch {
	case r.Own && r.Path == "/" && r.Mounted != nil:
		text = fmt.Sprintf("a directory of its own: %s of the %s filesystem on device %s",
			t.name(string(r.Mounted.Path)), plain(string(r.Mounted.Type)), plain(string(r.Mounted.Dev)))
	case r.Own:
		text += ", a directory of its own"
	}
	if r.OtherMounts {
		text += ", in a mount namespace of its own"
	}
	return text
}

// pathsText returns from where paths are seen, if not from where the reader is.
func (t *textWriter) pathsText() string {
	r := t.e.Roots.first()
	if r == nil {
		return ""
	}
	who := "the process sees"
	if len(t.e.Roots.All) > 1 && len(r.TIDs) > 0 {
		who = fmt.Sprintf("thread %d sees", r.TIDs[0])
	}
	where := "in its mount namespace"
	switch {
	case r.Own && r.Path == "/":
		where = "from its own root directory"
	case r.Own:
		where = "from its root directory " + t.name(string(r.Path))
	}
	return fmt.Sprintf("as %s them, %s", who, where)
}

// json returns the root directories, nil if they are not known, and why not.
func (r *Roots) json() (all []Root, notKnown *string) {
	if r == nil {
		r = &Roots{NotKnown: "not looked for"}
	}
	if r.NotKnown != "" {
		return nil, &r.NotKnown
	}
	return append([]Root{}, r.All...), nil
}
