// SPDX-License-Identifier: Apache-2.0

package domainid

import "github.com/landlockd/landlockd/internal/enum"

// NoScene is the number that stands for "no scene".
const NoScene int32 = 0

// Object is what a path of an asset was in one scan. A path with a pattern stands for as
// many objects as match it, or for one that is absent.
type Object struct {
	// Asset is the place of the asset in what was asked for.
	Asset int32
	// Path is that of the object, which symbolic links on its way led to.
	Path string
	Kind ObjectKind
	// Parent is the place of the directory that has a file or socket in it: whoever may
	// write there can replace it. -1 if there is none.
	Parent int32
}

// ObjectKind is what a path was.
type ObjectKind uint8

const (
	// ObjectUnreadable: it could not be found out, or not in time.
	ObjectUnreadable ObjectKind = iota
	// ObjectAbsent: the host has nothing there.
	ObjectAbsent
	ObjectFile
	ObjectDirectory
	ObjectSocket
)

var objectKinds = enum.Words[ObjectKind]{"unreadable", "absent", "file", "directory", "socket"}

func (k ObjectKind) String() string { return objectKinds.Of(k) }

// MarshalText encodes the word.
func (k ObjectKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *ObjectKind) UnmarshalText(b []byte) error { return objectKinds.Parse(k, b, "kind of object") }

// Scene is what a domain denies on the objects of a scan to tasks in one mount namespace.
type Scene struct {
	// Domain is the domain's index in the slice that holds it.
	Domain int32
	// Places has one for each of Snapshot.Objects.
	Places []Place
}

// Place is what the layers of a domain together deny on one object: of every right, whether
// on each way to the object some layer handles it and grants it neither on the object nor on
// a directory above. Where no way leads to the object, all rights are denied.
type Place struct {
	// Denied is about the object itself, and Below also about all that is below it: equal
	// to Denied but for directories.
	Denied, Below FileRights
	// Doubt is why Sure and May are not equal in one of them; 0 if they are in both.
	Doubt Doubt
}

// FileRights is a set of rights to files that is not wholly known, as masks of that class:
// those in Sure are in it, those outside of May are not. Sure is within May.
type FileRights struct{ Sure, May uint32 }

// And returns the set of what is in r and in o.
func (r FileRights) And(o FileRights) FileRights {
	return FileRights{r.Sure & o.Sure, r.May & o.May}
}
