// SPDX-License-Identifier: Apache-2.0

package untrusted

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// NewEncoder returns an encoder that writes text as it is: what is escaped in text of others is
// decided by [EncodeText].
func NewEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}

// EncodeText writes untrusted text, which can be any bytes, as valid UTF-8
// for a JSON string: a byte that is not part of valid UTF-8 becomes \xNN with
// two lower-case hexadecimal digits, and a backslash becomes two. Everything
// else stays as it is. [DecodeText] is the inverse, so different bytes never
// look equal.
func EncodeText(text string) string {
	if utf8.ValidString(text) && !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

var errEncoding = errors.New(`a backslash in encoded text stands before a backslash ` +
	`or before x and two hexadecimal digits`)

// DecodeText returns the bytes that EncodeText was given.
func DecodeText(encoded string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(encoded, `\`)
		b.WriteString(before)
		switch {
		case !found:
			return b.String(), nil
		case strings.HasPrefix(after, `\`):
			b.WriteByte('\\')
			encoded = after[1:]
		case strings.HasPrefix(after, "x") && len(after) >= 3:
			v, err := strconv.ParseUint(after[1:3], 16, 8)
			if err != nil {
				return "", errEncoding
			}
			b.WriteByte(byte(v))
			encoded = after[3:]
		default:
			return "", errEncoding
		}
	}
}

// Text is untrusted text in JSON: a string of what EncodeText makes of it. Characters
// that could act on a terminal are written in JSON's own \u form beside: it changes
// nothing for a parser, and the output can be looked at.
type Text string

// MarshalJSON encodes the text.
func (t Text) MarshalJSON() ([]byte, error) {
	text := EncodeText(string(t))
	b := make([]byte, 0, len(text)+2)
	b = append(b, '"')
	for _, r := range text {
		switch {
		case r == '"', r == '\\':
			b = append(b, '\\', byte(r))
		case printable(r):
			b = utf8.AppendRune(b, r)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				b = fmt.Appendf(b, `\u%04x`, unit)
			}
		}
	}
	return append(b, '"'), nil
}

// UnmarshalText is the inverse of MarshalJSON, for the text in the JSON string.
func (t *Text) UnmarshalText(encoded []byte) error {
	decoded, err := DecodeText(string(encoded))
	*t = Text(decoded)
	return err
}

// OrNull returns text for a member that is null where there is none.
func OrNull(text string) *Text {
	if text == "" {
		return nil
	}
	return new(Text(text))
}
