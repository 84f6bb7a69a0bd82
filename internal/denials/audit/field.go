// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"encoding/hex"
	"iter"
	"strings"

	"github.com/landlockd/landlockd/domainid"
)

// field is one key=value of a record. A word without "=" is a key with no value. quoted
// is true for "fe" the text, false for fe the two hexadecimal digits.
type field struct {
	key, value []byte
	quoted     bool
}

// fields yields the fields of a record: key and value up to the next space, or up to the
// closing quote of a quoted value. The kernel writes text with a quote, a space or what
// is not ASCII in digits, so that no text can look like a field.
func fields(b []byte) iter.Seq[field] {
	return func(yield func(field) bool) {
		for len(b) > 0 {
			var f field
			f, b = cutField(bytes.TrimLeft(b, " "))
			if !yield(f) {
				return
			}
		}
	}
}

func cutField(b []byte) (f field, rest []byte) {
	end := bytes.IndexAny(b, "= ")
	switch {
	case end < 0:
		return field{key: b}, nil
	case b[end] == ' ':
		return field{key: b[:end]}, b[end+1:]
	}
	f.key, b = b[:end], b[end+1:]
	stop := byte(' ')
	if len(b) > 0 && b[0] == '"' {
		f.quoted, stop, b = true, '"', b[1:]
	}
	f.value, rest, _ = bytes.Cut(b, []byte{stop}) // the record may be cut off
	return f, rest
}

// number parses an unsigned number and allocates nothing, whatever the text is.
func (f field) number(base uint64) (n uint64, ok bool) { return number(f.value, base) }

// pid parses the number of a process; 0 if it is none.
func (f field) pid() int32 {
	if n, ok := f.number(10); ok && n <= 1<<30 {
		return int32(n)
	}
	return 0
}

// domain parses the ID of a domain; 0 if it is none.
func (f field) domain() domainid.ID {
	if n, ok := f.number(16); ok && len(f.value) <= 16 {
		return domainid.ID(n)
	}
	return domainid.None
}

// text returns the text that a value stands for, in buf: the bytes whose hexadecimal
// digits it is, or the text itself if it is quoted, or no digits, such as (null).
func (f field) text(buf []byte) []byte {
	if f.quoted || hex.DecodedLen(len(f.value)) > len(buf) {
		return f.value
	}
	n, err := hex.Decode(buf, f.value)
	if err != nil {
		return f.value
	}
	return buf[:n]
}

// number parses what strconv.ParseUint does of a whole text, and allocates nothing.
func number(b []byte, base uint64) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	for _, c := range b {
		d := strings.IndexByte("0123456789abcdefABCDEF", c)
		if d >= 16 {
			d -= 6
		}
		if d < 0 || uint64(d) >= base || n > (^uint64(0)-uint64(d))/base {
			return 0, false
		}
		n = n*base + uint64(d)
	}
	return n, true
}
