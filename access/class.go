// SPDX-License-Identifier: Apache-2.0

package access

// Class is what a right is about: the mask that its bit is in.
//
// To add one: a constant and a line in the table below; the kernel's attribute in
// internal/landlock, whose tests find all its rights unknown without; and COUNTS in
// internal/denials/trace/bpf, where it does not compile without. The words that explain has
// for what is left of its rights are those of files, until internal/explain has its own.
type Class uint8

const (
	// FS are the rights to files, LANDLOCK_ACCESS_FS_*.
	FS Class = iota
	// Net are the rights to network ports, LANDLOCK_ACCESS_NET_*.
	Net
	// Scope are what reaches out of the domain, LANDLOCK_SCOPE_*. No rule can
	// grant these.
	Scope
	// NumClasses is the number of classes that this package knows.
	NumClasses
)

// classes has all that differs between classes. It is never written.
var classes = [NumClasses]struct {
	// name is what the names of its rights begin with.
	name      string
	grantedBy Grant
}{
	FS:    {"fs", ByPath},
	Net:   {"net", ByPort},
	Scope: {"scope", ByNone},
}

// Grant is what a rule that grants rights is on.
type Grant uint8

const (
	// ByNone: no rule can grant such a right.
	ByNone Grant = iota
	// ByPath: a rule is on a file, or on a directory and all that is below it.
	ByPath
	// ByPort: a rule is on a port.
	ByPort
)

func (g Grant) String() string {
	return [...]string{"no rule can allow it", "a directory", "a port"}[g]
}

func (c Class) String() string {
	if c >= NumClasses {
		return "invalid"
	}
	return classes[c].name
}

// GrantedBy returns what rules that grant rights of the class are on.
func (c Class) GrantedBy() Grant {
	if c >= NumClasses {
		return ByNone
	}
	return classes[c].grantedBy
}

// ClassOf returns the class of a name, which is also what the kernel calls its
// masks.
func ClassOf(name string) (Class, bool) {
	for c := range NumClasses {
		if classes[c].name == name {
			return c, true
		}
	}
	return 0, false
}

// Rights returns the set with this mask in the class and nothing else.
func (c Class) Rights(mask uint32) Rights {
	var r Rights
	if c < NumClasses {
		r[c] = mask
	}
	return r
}
