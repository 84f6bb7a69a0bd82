// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// Limits of text, in bytes.
const (
	// maxPath is longer than the kernel's longest path (4096) with what it
	// adds to it, such as " (deleted)".
	maxPath = 4096 + 64
	maxName = 512
)

const null = "null"

// orNull reads null as nothing at all, and otherwise what r reads.
func orNull(r reader) reader {
	return func(s string) error {
		if s == null {
			return nil
		}
		return r(s)
	}
}

func boolean(to *bool) reader {
	return func(s string) error {
		if s != "true" && s != "false" {
			return fmt.Errorf("%.40q is neither true nor false", s)
		}
		*to = s == "true"
		return nil
	}
}

type integral interface {
	~int | ~int32 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// integer reads a number without fraction and exponent.
func integer[T integral](to *T, least, most int64) reader {
	return func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%.40q is no whole number from %d to %d", s, least, most)
		}
		*to = T(n)
		return nil
	}
}

// decimal reads a 64-bit number that is written as text.
func decimal(to *uint64) reader {
	return func(s string) error {
		t, err := unquote(s)
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(t, 10, 64)
		if err != nil || strconv.FormatUint(n, 10) != t {
			return fmt.Errorf("%.40q is no 64-bit number in text", s)
		}
		*to = n
		return nil
	}
}

// seconds reads a number of seconds, to nanoseconds.
func seconds(to *time.Duration) reader {
	return func(s string) error {
		bad := fmt.Errorf("%.40q is no number of seconds", s)
		f, err := strconv.ParseFloat(s, 64)
		switch {
		case len(s) > 64 || err != nil || !(f >= 0) || f > 9e9:
			return bad
		case f < 1e-10: // also of a size that a big.Rat would take very long for
			return nil
		}
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			return bad
		}
		r.Mul(r, big.NewRat(int64(time.Second), 1))
		*to = time.Duration(new(big.Int).Quo(r.Num(), r.Denom()).Int64())
		return nil
	}
}

// mask reads a set of rights.
func mask(to *uint32) reader {
	return func(s string) error {
		t, err := unquote(s)
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(t, "0x"), 16, 32)
		if err != nil || fmt.Sprintf("%#x", n) != t {
			return fmt.Errorf("%.40q is no mask such as \"0x1f\"", s)
		}
		*to = uint32(n)
		return nil
	}
}

// identifier reads the ID of a domain.
func identifier(to *domainid.ID) reader {
	return func(s string) error {
		t, err := unquote(s)
		if err != nil {
			return err
		}
		id, err := domainid.Parse(t)
		if err != nil || id.String() != t {
			return fmt.Errorf("%.40q is no domain ID", s)
		}
		*to = id
		return nil
	}
}

// word reads text that this program chose: it is not encoded.
func word(to *string) reader {
	return func(s string) (err error) {
		*to, err = unquote(s)
		return err
	}
}

// oneOf reads one of some words.
func oneOf(to *string, words ...string) reader { return choice(to, words...) }

func choice(to *string, words ...string) reader {
	return func(s string) error {
		t, err := unquote(s)
		if err != nil {
			return err
		}
		i := slices.Index(words, t)
		if i < 0 {
			return fmt.Errorf("%.40q is none of %s", t, strings.Join(words, ", "))
		}
		*to = words[i]
		return nil
	}
}

// text reads bytes of the kernel.
func text(to *string, longest int) reader { return encoded(to, longest) }

func encoded(to *string, longest int) reader {
	return func(s string) error {
		t, err := unquote(s)
		if err != nil {
			return err
		}
		if t, err = untrusted.DecodeText(t); err != nil {
			return fmt.Errorf("%.40q: %w", s, err)
		}
		if len(t) > longest {
			return fmt.Errorf("text of %d bytes, but %d are the most", len(t), longest)
		}
		*to = strings.Clone(t) // not all of the text around it
		return nil
	}
}

// unquote reads a JSON string.
func unquote(s string) (string, error) {
	if s == "" || s[0] != '"' {
		return "", fmt.Errorf("%.40q is no text", s)
	}
	// Package json would put another character in its place.
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("%.40q is not valid UTF-8", s)
	}
	if strings.IndexByte(s, '\\') < 0 {
		return s[1 : len(s)-1], nil
	}
	var t string
	if err := json.Unmarshal([]byte(s), &t); err != nil {
		return "", err
	}
	return t, nil
}

// ways reads ways past a right by their names.
func ways(to *access.Ways) reader {
	return list(func(value string) error {
		var name string
		if err := word(&name)(value); err != nil {
			return err
		}
		for _, w := range access.AllWays() {
			if w.String() == name {
				*to |= w.Ways()
				return nil
			}
		}
		return fmt.Errorf("%.60q is no way past a right", name)
	})
}
