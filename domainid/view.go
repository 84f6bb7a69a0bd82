// SPDX-License-Identifier: Apache-2.0

package domainid

// NoView is the index that stands for "no view".
const NoView int32 = -1

// View is a domain as tasks with one root directory have it. What rules grant
// "everywhere" depends on where a task's root directory is in the tree of mounts,
// at the instant at which it is looked at: tasks of one domain can have several
// views, and the next scan others.
type View struct {
	// Domain is the domain's index in the slice that holds it.
	Domain int32
	// Everywhere has for each layer of the domain, the outermost first, the mask
	// of the rights to files that its rules grant on the root directory or above
	// it. Layers beyond its end grant none.
	Everywhere []uint32
	// Doubt is why Everywhere is not known, or 0. Everywhere is nil then.
	Doubt Doubt
}

// Doubt is a set of reasons for which something is unknown.
type Doubt uint16

const (
	// LayersUnknown: the domain may have layers that are not known, or it is not
	// known which rights one of them handles. A layer
	// that the kernel keeps in a way that is not known here counts as such.
	LayersUnknown Doubt = 1 << iota
	// RulesUnread: rules of a layer were not read in this scan.
	RulesUnread
	// RootChanging: the root directory was moved while it was looked at.
	RootChanging
	// RootTooDeep: the root directory is below more directories than are looked at.
	RootTooDeep
	// RootDetached: no way leads from the root directory to the top of a mount.
	RootDetached
	// ClassUnknown: a layer handles rights of a class that this program does not
	// know.
	ClassUnknown
	// CwdOutside: rules grant something on the root directory, but the working
	// directory is outside of it: a way to what they do not grant.
	CwdOutside
	// WaysUnread: not all ways that lead to an asset were read in this scan.
	WaysUnread
	// Unplaced: where a rule lies, or another name of a file, is not known.
	Unplaced
	// AssetUnread: what an asset is could not be read.
	AssetUnread
	// WayUnknown: the kernel may leave a way past a right open.
	WayUnknown
	// PortPicked: port 0 may be bound, and the kernel may pick the port for that.
	PortPicked
)

// Has reports whether all reasons of o are among those of d.
func (d Doubt) Has(o Doubt) bool { return d&o == o }

// doubts has a word and a sentence for each reason. It is never written.
var doubts = [...]struct{ word, text string }{
	{"layers_unknown", "not all of its layers are known"},
	{"rules_unread", "not all of its rules were read"},
	{"root_changing", "its root directory was moved while it was looked at"},
	{"root_too_deep", "its root directory is too deep below the top of its mounts"},
	{"root_detached", "its root directory is cut off from the top of its mount"},
	{"class_unknown", "a layer handles rights that are newer than this landlockd"},
	{"cwd_outside", "its working directory is outside of its root directory"},
	{"ways_unread", "not all ways that lead to it were read"},
	{"unplaced", "it is not known where a rule lies, or another name of a file"},
	{"asset_unread", "it could not be read what the asset is"},
	{"way_unknown", "it is not known whether this kernel leaves a way past a right open"},
	{"port_picked", "the kernel may pick the port for a socket that is bound to port 0"},
}

// Words returns a word for each reason, in the order of the constants.
func (d Doubt) Words() []string { return d.pick(func(i int) string { return doubts[i].word }) }

// Sentences returns what each reason means, in the order of the constants.
func (d Doubt) Sentences() []string { return d.pick(func(i int) string { return doubts[i].text }) }

func (d Doubt) pick(text func(int) string) []string {
	var all []string
	for i := range doubts {
		if d>>i&1 != 0 {
			all = append(all, text(i))
		}
	}
	return all
}

// ParseDoubt returns the reason of a word.
func ParseDoubt(word string) (Doubt, bool) {
	for i := range doubts {
		if doubts[i].word == word {
			return 1 << i, true
		}
	}
	return 0, false
}
