// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/scan"
)

// form is one of the ways in which a kernel may write a task's Landlock state to a file.
type form struct {
	name string // what an answer looks like
	// parse reads an answer, without a line feed or NUL at its end. It does no I/O,
	// keeps nothing of b, and does not allocate. Text that is not in the form gives
	// answerMalformed.
	parse func(b []byte) answer
	// layers: an answer has the number of layers.
	layers bool
	// ids: an answer names the domain. lasting: that name is never used again during
	// one boot.
	ids, lasting bool
	// loose: nearly any text means "in a domain", so that only a task without one
	// shows that a kernel has this form. absence: it does so by having no file.
	loose, absence bool
}

// forms is every form, the strictest first. A new one is one more value here. All but
// the one with IDs alone come from proposals and out-of-tree patches; no mainline kernel
// has any.
var forms = [...]*form{
	{
		name:  "landlocked:0|1",
		parse: oneOf(map[string]answer{"landlocked:0": answerOut, "landlocked:1": answerIn}),
	},
	{
		name: "unrestricted|restricted|unknown",
		parse: oneOf(map[string]answer{
			"unrestricted": answerOut, "restricted": answerIn, "unknown": {reason: scan.Hidden},
		}),
	},
	// "N.M", the ID of the thread that made the domain, which is reused once the domain
	// is gone, and a number that tells apart those that it made; or "none".
	{name: "domain ID and version", parse: parseVersioned, ids: true},
	// 0 for none.
	{name: "number of layers", parse: parseLayers, layers: true},
	// The domain's ID in hexadecimal, or "none".
	{name: "domain ID or none", parse: parseHex, ids: true, lasting: true},
	// Nothing at all for a task in a domain.
	{
		name: "none or empty", loose: true,
		parse: oneOf(map[string]answer{"none": answerOut, "": answerIn}),
	},
	// The file is there for a task in a domain, whatever it holds.
	{
		name: "presence of the file", loose: true, absence: true,
		parse: func([]byte) answer { return answerIn },
	},
}

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

// read reads the text of an attribute. One line feed or one NUL at the end is optional
// in every form.
func (f *form) read(b []byte) answer {
	if n := len(b); n > 0 && (b[n-1] == '\n' || b[n-1] == 0) {
		b = b[:n-1]
	}
	return f.parse(b)
}

func oneOf(answers map[string]answer) func([]byte) answer {
	return func(b []byte) answer {
		if a, found := answers[string(b)]; found {
			return a
		}
		return answerMalformed
	}
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
	digits := [16]byte([]byte("0000000000000000"))
	if len(b) > len(digits) {
		return answerMalformed
	}
	copy(digits[len(digits)-len(b):], b)
	var number [8]byte
	_, err := hex.Decode(number[:], digits[:])
	v := binary.BigEndian.Uint64(number[:])
	if err != nil || v <= maxLayers {
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
	first, second, _ := bytes.Cut(b, []byte{'.'})
	n, ok := parseDecimal(first, 1<<56-1)
	m, okM := parseDecimal(second, 1<<8-1)
	if !ok || !okM || n == 0 {
		return answerMalformed
	}
	return answer{state: scan.Sandboxed, id: domainid.ID(n<<8 | m)}
}

func parseLayers(b []byte) answer {
	n, ok := parseDecimal(b, maxLayers)
	switch {
	case !ok:
		return answerMalformed
	case n == 0:
		return answerOut
	default:
		return answer{state: scan.Sandboxed, layers: uint8(n)}
	}
}

// parseDecimal reads digits without a sign and without zeros in front.
func parseDecimal(b []byte, limit uint64) (uint64, bool) {
	v, n := procdir.LeadingNumber(b)
	return v, n > 0 && n == len(b) && v <= limit && (b[0] != '0' || n == 1)
}
