// SPDX-License-Identifier: Apache-2.0

package audit

import "bytes"

// cutField cuts the first key=value off a record: key and value up to the next
// space, or up to the closing quote of a quoted value. A word without "=" is a
// key with no value. quoted is true for "fe" the text, false for fe the two hexadecimal
// digits. The kernel writes text with a quote, a space or what is not ASCII in digits,
// so that no text can look like a field.
func cutField(b []byte) (key, value []byte, quoted bool, rest []byte) {
	b = bytes.TrimLeft(b, " ")
	end := bytes.IndexAny(b, "= ")
	switch {
	case end < 0:
		return b, nil, false, nil
	case b[end] == ' ':
		return b[:end], nil, false, b[end+1:]
	}
	key, b = b[:end], b[end+1:]
	if len(b) > 0 && b[0] == '"' {
		if end = bytes.IndexByte(b[1:], '"'); end < 0 {
			return key, b[1:], true, nil // cut off
		}
		return key, b[1 : 1+end], true, b[end+2:]
	}
	if end = bytes.IndexByte(b, ' '); end < 0 {
		return key, b, false, nil
	}
	return key, b[:end], false, b[end+1:]
}

// number parses what strconv.ParseUint does of a whole field, and allocates
// nothing.
func number(b []byte, base uint64) (n uint64, ok bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	for _, c := range b {
		d, ok := digit(c)
		if !ok || uint64(d) >= base || n > (^uint64(0)-uint64(d))/base {
			return 0, false
		}
		n = n*base + uint64(d)
	}
	return n, true
}

func digit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	default:
		return 0, false
	}
}

// decode returns the text that an unquoted value stands for, in buf: the bytes
// whose hexadecimal digits it is. Anything else is text as it stands, such as (null).
func decode(value, buf []byte) []byte {
	if len(value)%2 != 0 || len(value)/2 > len(buf) {
		return value
	}
	for i := 0; i < len(value); i += 2 {
		high, ok1 := digit(value[i])
		low, ok2 := digit(value[i+1])
		if !ok1 || !ok2 {
			return value
		}
		buf[i/2] = high<<4 | low
	}
	return buf[:len(value)/2]
}
