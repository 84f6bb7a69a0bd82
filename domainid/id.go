// SPDX-License-Identifier: Apache-2.0

package domainid

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// ID is the opaque name of a domain, unique for one boot. Zero means none.
type ID uint64

// None is the ID of no domain, or of a domain whose ID could not be read.
const None ID = 0

// String returns the text form: lower-case hexadecimal without a prefix, as
// the kernel's audit log prints it ("domain=1e67bda0b").
func (id ID) String() string { return strconv.FormatUint(uint64(id), 16) }

// Parse reads the text form of an ID. It accepts upper case and a leading 0x;
// it refuses zero, which names nothing.
func Parse(s string) (ID, error) {
	v, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(s), "0x"), 16, 64)
	if err != nil || v == 0 {
		return None, fmt.Errorf("domain ID %.32q: want 1 to 16 hexadecimal digits, not all zero", s)
	}
	return ID(v), nil
}

// MarshalJSON encodes the text form, and None as null. A number would lose
// digits in readers that hold numbers as floating point.
func (id ID) MarshalJSON() ([]byte, error) {
	if id == None {
		return []byte("null"), nil
	}
	return []byte(`"` + id.String() + `"`), nil
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (id *ID) UnmarshalJSON(b []byte) error {
	var text string
	if len(b) > 2 && b[0] == '"' && bytes.IndexByte(b, '\\') < 0 {
		text = string(b[1 : len(b)-1])
	} else {
		var s *string
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("domain ID: %w", err)
		}
		if s == nil {
			*id = None
			return nil
		}
		text = *s
	}
	v, err := Parse(text)
	if err == nil && v.String() != text {
		err = fmt.Errorf("domain ID %.32q: want lower-case hexadecimal digits", text)
	}
	if err == nil {
		*id = v
	}
	return err
}
