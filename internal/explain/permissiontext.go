// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/plural"
	"github.com/landlockd/landlockd/internal/recorded"
)

// permissions writes what tasks in a sandbox may do: rights to files by where they are
// granted, and each other one by itself.
func (t *textWriter) permissions(b *Sandbox) {
	for i := range b.Permissions {
		if d := &b.Permissions[i]; d.Rights[0].Class == access.FS && !apart(d) {
			t.filePermission(d)
		}
	}
	titled := false
	for i := range b.Permissions {
		d := &b.Permissions[i]
		if d.Rights[0].Class == access.FS && !apart(d) {
			continue
		}
		if !titled {
			titled = true
			t.line("  Ports, and what is outside:")
		}
		if d.lists() && d.Effect == domainid.Limited {
			t.line("    - %s: %s", d.What(), t.limit(d))
			t.limits(d)
		} else {
			t.line("    - %s: %s", d.What(), d.WhereText())
		}
	}
	if b.Means.Doubt.Has(domainid.ClassUnknown) {
		t.line("  - what this landlockd has no name for: not known, as a layer handles rights " +
			"that are newer")
	}
}

// filePermission writes rights to files, one a line, below where they are granted.
func (t *textWriter) filePermission(d *Permission) {
	if d.lists() && d.Effect == domainid.Limited {
		t.line("  Files, %s:", t.limit(d))
		t.limits(d)
	} else {
		t.line("  Files, %s:", d.WhereText())
	}
	if d.summary != "" {
		t.line("    - %s", d.What())
		return
	}
	for _, r := range d.Rights {
		if words := rightWords(r); words != r.Name {
			t.line("    - %s (%s)", words, r.Name)
		} else {
			t.line("    - %s", r.Name)
		}
	}
}

// belowAll returns the paths below which all of several layers grant something, if they are
// known, else none.
func (t *textWriter) belowAll(d *Permission) []string {
	if together, known := t.e.Together(d); known && len(d.Limits) > 1 {
		return together
	}
	return nil
}

// limit is what stands before the files that a permission is limited to.
func (t *textWriter) limit(d *Permission) string {
	if t.belowAll(d) == nil {
		return d.where()
	}
	return "only below these, which all of " + plural.Count(len(d.Limits), "layer") +
		" grant, by the paths that were found"
}

// limits writes the files that a permission is limited to, and the ways past that.
func (t *textWriter) limits(d *Permission) {
	const indent = "      "
	if together := t.belowAll(d); together != nil {
		t.first(maxFiles, len(together), indent+"%d more", func(i int) {
			t.line(indent+"%s", t.name(together[i]))
		})
	} else {
		for i := range d.Limits {
			deeper := indent
			if len(d.Limits) > 1 {
				t.line(indent+"the layer of depth %d:", d.Limits[i].Depth)
				deeper += "  "
			}
			t.files(&d.Limits[i], deeper)
		}
	}
	if ways := d.waysText(); ways != "" {
		t.line(indent+"%s", ways)
	}
}

func (t *textWriter) files(l *domainid.Limit, indent string) {
	t.first(maxFiles, len(l.Files), indent+"%d more", func(i int) {
		f := l.Files[i]
		if path, found := t.e.Places[File{f.Dev, f.Ino}]; found {
			t.line("%s%s", indent, t.name(path))
			return
		}
		what := fmt.Sprintf("inode %d", f.Ino)
		if f.FSRoot {
			what = "the root of the filesystem"
		}
		why := "of which no path is known"
		if t.e.Gone[File{f.Dev, f.Ino}] {
			why = "which it finds by no path: removed, replaced by another one, or hidden (a stale grant)"
		}
		t.line("%s%s on device %s, %s", indent, what, recorded.DeviceText(f.Dev), why)
	})
	if l.More {
		t.line("%sand perhaps others, which are not known", indent)
	}
}
