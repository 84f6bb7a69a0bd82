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
	TIDs []int32
	// Path is as the kernel gives it: as the reader finds it, but in OtherMounts
	// from the top of those; hostile text.
	Path string
	// Own: it is not the reader's.
	Own bool
	// OtherMounts: its threads are in another mount namespace than the reader.
	OtherMounts bool
	// Mounted is what is mounted on it, the zero value if nothing is.
	Mounted Mounted
}

// Mounted is a directory of a filesystem that is mounted.
type Mounted struct {
	// Path is that of the directory in its filesystem: hostile text.
	Path string
	// Type and Dev are the filesystem's, as in /proc/[pid]/mountinfo: "ext4", "8:1".
	Type, Dev string
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
		for i := range r.All {
			if i == maxRoots {
				t.line("  root        %d more: -o json has them", len(r.All)-i)
				return
			}
			t.line("  root        %s, of %s", t.rootText(&r.All[i]), threadsText(r.All[i].TIDs))
		}
	}
}

// maxRoots is how many root directories text has.
const maxRoots = 8

func (t *textWriter) rootText(r *Root) string {
	text := t.name(r.Path)
	switch {
	case r.Own && r.Path == "/" && r.Mounted != (Mounted{}):
		text = fmt.Sprintf("a directory of its own: %s of the %s filesystem on device %s",
			t.name(r.Mounted.Path), plain(r.Mounted.Type), plain(r.Mounted.Dev))
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
		where = "from its root directory " + t.name(r.Path)
	}
	return fmt.Sprintf("as %s them, %s", who, where)
}

type rootJSON struct {
	TIDs        []int32        `json:"tids"`
	Path        untrusted.Text `json:"path"`
	Own         bool           `json:"of_its_own"`
	OtherMounts bool           `json:"mount_namespace_of_its_own"`
	Mounted     *mountedJSON   `json:"mounted"`
}

type mountedJSON struct {
	Path untrusted.Text `json:"path"`
	Type untrusted.Text `json:"type"`
	Dev  untrusted.Text `json:"dev"`
}

// json returns the root directories, nil if they are not known, and why not.
func (r *Roots) json() (all []rootJSON, notKnown *string) {
	if r == nil || r.NotKnown != "" {
		text := "not looked for"
		if r != nil {
			text = r.NotKnown
		}
		return nil, &text
	}
	all = []rootJSON{}
	for i := range r.All {
		root := &r.All[i]
		j := rootJSON{TIDs: root.TIDs, Path: untrusted.Text(root.Path), Own: root.Own,
			OtherMounts: root.OtherMounts}
		if m := root.Mounted; m != (Mounted{}) {
			j.Mounted = &mountedJSON{untrusted.Text(m.Path), untrusted.Text(m.Type), untrusted.Text(m.Dev)}
		}
		all = append(all, j)
	}
	return all, nil
}
