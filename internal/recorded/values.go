// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/enum"
	"github.com/landlockd/landlockd/scan"
)

// Limits of text, in bytes.
const (
	// maxPath is longer than the kernel's longest path (4096) with what it
	// adds to it, such as " (deleted)".
	maxPath = 4096 + 64
	maxName = 512
)

// nanoseconds are written as a decimal number of seconds with all nine digits.
type nanoseconds uint64

// MarshalJSON encodes the number.
func (n nanoseconds) MarshalJSON() ([]byte, error) {
	const second = uint64(time.Second)
	b := strconv.AppendUint(nil, uint64(n)/second, 10)
	point := len(b)
	b = strconv.AppendUint(b, second+uint64(n)%second, 10) // a digit for the point, and nine
	b[point] = '.'
	return b, nil
}

// UnmarshalJSON reads any number of seconds: other programs may have written it anew.
func (n *nanoseconds) UnmarshalJSON(b []byte) error {
	text := string(b)
	bad := fmt.Errorf("%.40q is no number of seconds", text)
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case len(text) > 64 || err != nil || !(f >= 0) || f > 9e9:
		return bad
	case f < 1e-10: // also of a size that a big.Rat would take very long for
		return nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return bad
	}
	r.Mul(r, big.NewRat(int64(time.Second), 1))
	*n = nanoseconds(new(big.Int).Quo(r.Num(), r.Denom()).Uint64())
	return nil
}

// mask is a set of rights of one class, as hexadecimal text: no number to reckon with.
type mask uint32

// MarshalText encodes the mask.
func (m mask) MarshalText() ([]byte, error) { return m.append(nil), nil }

func (m mask) append(b []byte) []byte { return strconv.AppendUint(append(b, "0x"...), uint64(m), 16) }

// UnmarshalText is the inverse of MarshalText.
func (m *mask) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(strings.TrimPrefix(string(text), "0x"), 16, 32)
	if *m = mask(n); err != nil || fmt.Sprintf("%#x", n) != string(text) {
		return fmt.Errorf("%.40q is no mask such as \"0x1f\"", text)
	}
	return nil
}

// rightsJSON is a set of rights: an object with a mask for each class, by its name.
type rightsJSON [access.NumClasses]mask

func newRightsJSON(r access.Rights) *rightsJSON {
	var j rightsJSON
	for c, m := range r {
		j[c] = mask(m)
	}
	return &j
}

func (r *rightsJSON) rights() (rights access.Rights) {
	for c, m := range r {
		rights[c] = uint32(m)
	}
	return rights
}

// MarshalJSON writes the masks, and the rights' names.
func (r *rightsJSON) MarshalJSON() ([]byte, error) {
	const usual = 512 // bytes of most sets
	b := append(make([]byte, 0, usual), '{')
	for c, m := range r {
		b = append(append(append(b, '"'), access.Class(c).String()...), `":"`...)
		b = append(m.append(b), `",`...)
	}
	b = append(b, `"names":[`...)
	for i, name := range access.Names(r.rights()) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), '"') // of letters, dots and underscores
	}
	return append(b, ']', '}'), nil
}

// device is that of a filesystem.
type device uint64

// DeviceText writes a device as /proc/[pid]/mountinfo does, "8:1".
func DeviceText(dev uint64) string { return fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev)) }

// MarshalText encodes the device.
func (d device) MarshalText() ([]byte, error) { return []byte(DeviceText(uint64(d))), nil }

// UnmarshalText is the inverse of MarshalText.
func (d *device) UnmarshalText(text []byte) error {
	var major, minor uint32
	_, err := fmt.Sscanf(string(text), "%d:%d", &major, &minor)
	*d = device(unix.Mkdev(major, minor))
	if err != nil || DeviceText(uint64(*d)) != string(text) {
		return fmt.Errorf("%.40q is no device such as \"8:1\"", text)
	}
	return nil
}

// seccompMode is that of a task, as the kernel numbers it.
type seccompMode uint8

func newSeccompMode(h scan.Hardening) seccompMode {
	switch {
	case h&scan.SeccompFilter != 0:
		return 2
	case h&scan.SeccompStrict != 0:
		return 1
	default:
		return 0
	}
}

var seccompModes = enum.Words[seccompMode]{"none", "strict", "filter"}

// MarshalText encodes the mode.
func (m seccompMode) MarshalText() ([]byte, error) { return []byte(seccompModes.Of(m)), nil }

// UnmarshalText is the inverse of MarshalText.
func (m *seccompMode) UnmarshalText(b []byte) error {
	return seccompModes.Parse(m, b, "seccomp mode")
}

// OrNull makes the zero value null, in JSON.
func OrNull[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// orZero makes null the zero value.
func orZero[T any](v *T) (zero T) { return orElse(v, zero) }

// orElse makes null another value.
func orElse[T any](v *T, null T) T {
	if v == nil {
		return null
	}
	return *v
}
