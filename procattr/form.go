// SPDX-License-Identifier: Apache-2.0

package procattr

// Form is one of the ways in which a kernel may write a task's Landlock state
// to a file. All but Hex come from proposals and out-of-tree patches; no
// mainline kernel has any.
type Form uint8

const (
	// NoForm: the kernel has Landlock not enabled, so that nothing is read.
	NoForm Form = iota
	// Landlocked: "landlocked:1" or "landlocked:0".
	Landlocked
	// Empty: "none", or nothing at all for a task in a domain.
	Empty
	// Words: "restricted", "unrestricted" or "unknown".
	Words
	// Hex: the domain's ID in hexadecimal, or "none".
	Hex
	// Versioned: "N.M", the ID of the thread that made the domain and a number that
	// tells apart those that it made, or "none".
	Versioned
	// Layers: the number of layers, 0 for none.
	Layers
	// Presence: the file is there for a task in a domain, whatever it holds.
	Presence
)

// forms is every form that text can be in, the strictest first.
var forms = [...]Form{Landlocked, Words, Versioned, Layers, Hex, Empty, Presence}

func (f Form) String() string {
	switch f {
	case Landlocked:
		return "landlocked:0|1"
	case Empty:
		return "none or empty"
	case Words:
		return "unrestricted|restricted|unknown"
	case Hex:
		return "domain ID or none"
	case Versioned:
		return "domain ID and version"
	case Layers:
		return "number of layers"
	case Presence:
		return "presence of the file"
	default:
		return "none"
	}
}

// hasIDs reports whether an answer in this form names the domain.
func (f Form) hasIDs() bool { return f == Hex || f == Versioned }

// keepsIDs reports whether a name is never used again during one boot. That of a
// versioned form holds a thread ID, which is reused once the domain is gone.
func (f Form) keepsIDs() bool { return f == Hex }
