// SPDX-License-Identifier: Apache-2.0

package access

// Class is what a right is about: the mask that its bit is in.
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

// classes has what differs between classes, and nothing else does. It is never
// written.
var classes = [NumClasses]struct {
	// name is what the names of its rights begin with.
	name string
	// ruleOn is what a rule that grants one of its rights is on.
	ruleOn string
}{
	FS:    {"fs", "a directory"},
	Net:   {"net", "a port"},
	Scope: {"scope", ""},
}

func (c Class) String() string {
	if c >= NumClasses {
		return "invalid"
	}
	return classes[c].name
}

// RuleOn returns what a rule that grants a right of the class is on, "a port";
// empty if no rule can grant one.
func (c Class) RuleOn() string {
	if c >= NumClasses {
		return ""
	}
	return classes[c].ruleOn
}

// Rights returns the set with this mask in the class and nothing else.
func (c Class) Rights(mask uint32) Rights {
	var r Rights
	if c < NumClasses {
		r[c] = mask
	}
	return r
}
