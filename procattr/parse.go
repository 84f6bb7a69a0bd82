// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// answer is what one read of one task's attribute gave. The zero value is an
// unknown state without a reason.
type answer struct {
	state  scan.State // Unsandboxed, Sandboxed or Unknown
	reason scan.Reason
	// layers is the number of layers; 0 where the form does not have it.
	layers uint8
	// id is the domain's; domainid.None where the form does not have it.
	id domainid.ID
}

var (
	answerOut       = answer{state: scan.Unsandboxed}
	answerIn        = answer{state: scan.Sandboxed}
	answerMalformed = answer{reason: scan.Malformed}
)

// maxLayers is the most layers that any kernel allowed (64, before Linux 5.19).
// IDs are far beyond: a bare number up to here is no ID.
const maxLayers = 64

// parse reads the text of an attribute in a form that is known. It does no I/O,
// keeps nothing of b, and does not allocate. Text that is not in the form gives
// an answer that is unknown, reason malformed.
//
// One line feed or one NUL at the end is optional in every form.
func parse(f Form, b []byte) answer {
	if n := len(b); n > 0 && (b[n-1] == '\n' || b[n-1] == 0) {
		b = b[:n-1]
	}
	switch f {
	case Landlocked:
		switch string(b) {
		case "landlocked:0":
			return answerOut
		case "landlocked:1":
			return answerIn
		}
	case Empty:
		switch string(b) {
		case "none":
			return answerOut
		case "":
			return answerIn
		}
	case Words:
		switch string(b) {
		case "unrestricted":
			return answerOut
		case "restricted":
			return answerIn
		case "unknown":
			return answer{reason: scan.Hidden}
		}
	case Presence:
		return answerIn
	case Hex:
		return parseHex(b)
	case Versioned:
		return parseVersioned(b)
	case Layers:
		n, ok := parseDecimal(b, maxLayers)
		switch {
		case !ok:
		case n == 0:
			return answerOut
		default:
			return answer{state: scan.Sandboxed, layers: uint8(n)}
		}
	}
	return answerMalformed
}

// parseHex reads "none" or 1 to 16 hexadecimal digits in either case, with or
// without 0x, of a number beyond any number of layers.
func parseHex(b []byte) answer {
	if string(b) == "none" {
		return answerOut
	}
	if len(b) > 2 && b[0] == '0' && (b[1] == 'x' || b[1] == 'X') {
		b = b[2:]
	}
	if len(b) == 0 || len(b) > 16 {
		return answerMalformed
	}
	var v uint64
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return answerMalformed
		}
		v = v<<4 | uint64(c)
	}
	if v <= maxLayers {
		return answerMalformed
	}
	return answer{state: scan.Sandboxed, id: domainid.ID(v)}
}

// parseVersioned reads "none" or "N.M". The ID that it gives is N with M in the
// lowest 8 bits: equal if and only if both are.
func parseVersioned(b []byte) answer {
	if string(b) == "none" {
		return answerOut
	}
	for i, c := range b {
		if c != '.' {
			continue
		}
		n, ok := parseDecimal(b[:i], 1<<56-1)
		m, okM := parseDecimal(b[i+1:], 1<<8-1)
		if !ok || !okM || n == 0 {
			return answerMalformed
		}
		return answer{state: scan.Sandboxed, id: domainid.ID(n<<8 | m)}
	}
	return answerMalformed
}

// parseDecimal reads digits without a sign and without zeros in front.
func parseDecimal(b []byte, limit uint64) (uint64, bool) {
	if len(b) == 0 || len(b) > 1 && b[0] == '0' {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + uint64(c-'0')
		if v > limit {
			return 0, false
		}
	}
	return v, true
}
