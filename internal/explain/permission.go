// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"reflect"
	"slices"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Permission is what tasks in one sandbox may do of some rights, which are alike in
// that.
type Permission struct {
	Rights []access.Right
	domainid.Allowed
	// ButBy are the ways to do it all the same that this kernel leaves open,
	// PerhapsBy those of which that is not known. Only a permission that is restricted
	// has any.
	ButBy, PerhapsBy access.Ways

	// summary stands for a long list of rights; empty if each is named.
	summary string
}

// permissionsOf returns what tasks in a place may do, by class and bit of the rights.
func permissionsOf(
	s *scan.Snapshot, m *domainid.Meaning, in In, handles access.Rights,
) []Permission {
	var permissions []Permission
	for _, r := range append(access.All(), access.Of(unnamed(handles))...) {
		d := permissionOf(s, m, in, r)
		// Files are listed in order of the device and the number: the same rules
		// in another layer are equal.
		same := func(o Permission) bool { return samePermission(&o, &d) }
		if i := slices.IndexFunc(permissions, same); i >= 0 {
			permissions[i].Rights = append(permissions[i].Rights, r)
			continue
		}
		permissions = append(permissions, d)
	}
	summarize(permissions)
	return permissions
}

// summarize gives a summary to the permission that has all rights to files that the
// kernel can restrict, if one has.
func summarize(permissions []Permission) {
	var all *Permission
	summary := "do anything with files"
	for i := range permissions {
		d := &permissions[i]
		switch {
		case d.Rights[0].Class != access.FS || apart(d):
		case d.Reason == domainid.KernelCannot:
			summary = "do anything with files that this kernel can restrict"
		case all != nil:
			return
		default:
			all = d
		}
	}
	if all != nil && len(all.Rights) > 1 {
		all.summary = summary
	}
}

func permissionOf(s *scan.Snapshot, m *domainid.Meaning, in In, r access.Right) Permission {
	d := Permission{Rights: []access.Right{r}, Allowed: m.Allows(in.Domain, in.View, r)}
	if d.Reason == domainid.Restricted {
		for _, w := range access.AllWays() {
			if w.Right != r || w.Name == listening && slices.Contains(d.Ports, 0) {
				continue
			}
			switch s.Kernel.Ways.Of(w, s.Kernel.WaysUnknown) {
			case access.Yes:
				d.ButBy |= w.Ways()
			case access.Unknown:
				d.PerhapsBy |= w.Ways()
			}
		}
	}
	return d
}

// unnamed returns the rights that the table does not have.
func unnamed(r access.Rights) access.Rights {
	for _, right := range access.All() {
		r = r.Without(right.Rights())
	}
	return r
}

// samePermission reports whether what holds for one right holds for another, so that
// they can be described together. Only rights to files are.
func samePermission(a, b *Permission) bool {
	if a.Rights[0].Class != access.FS || b.Rights[0].Class != access.FS || apart(a) || apart(b) {
		return false
	}
	x, y := *a, *b
	x.Rights, y.Rights = nil, nil
	return reflect.DeepEqual(x, y)
}

// apart reports whether a permission is described in words of its own.
func apart(d *Permission) bool { return d.Rights[0].Name == resolveUnix }

const (
	// listening is the way to a port that the kernel picks: past nothing where port 0
	// is granted.
	listening = "listen"

	resolveUnix  = "fs.resolve_unix"
	abstractUnix = "scope.abstract_unix_socket"
)
