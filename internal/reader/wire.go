// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"encoding/binary"
	"errors"
	"unsafe"
)

// wire is memory that numbers are written to, or read from: one description of what
// stands in it serves both ways. After an error, what is read is 0.
type wire struct {
	b       []byte // what was written, or what is left to read
	reading bool
	err     error
}

var errMalformed = errors.New("the answer is malformed")

func (w *wire) fail() {
	w.b, w.err = nil, errMalformed
}

// check fails what is read unless a condition holds.
func (w *wire) check(holds bool) {
	if w.reading && !holds {
		w.fail()
	}
}

// take returns the next n bytes of what is read.
func (w *wire) take(n int) []byte {
	if n > len(w.b) {
		w.fail()
		return nil
	}
	b := w.b[:n]
	w.b = w.b[n:]
	return b
}

// number is for one number, in as many bytes as it has in memory, the lowest first.
func number[T ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int32 | ~int64](w *wire, v *T) {
	size := int(unsafe.Sizeof(*v))
	var b [8]byte
	if !w.reading {
		binary.LittleEndian.PutUint64(b[:], uint64(*v))
		w.b = append(w.b, b[:size]...)
		return
	}
	copy(b[:], w.take(size))
	*v = T(binary.LittleEndian.Uint64(b[:]))
}

// upTo is for a number that has a greatest value, and is not negative.
func upTo[T ~uint8 | ~uint16 | ~uint32 | ~int32 | ~int64](w *wire, v *T, greatest T) {
	number(w, v)
	w.check(*v >= 0 && *v <= greatest)
}

func boolean(w *wire, v *bool) {
	n := uint8(0)
	if *v {
		n = 1
	}
	upTo(w, &n, 1)
	*v = n == 1
}

// elements is for how many elements a slice has, of so many bytes at least: what is read
// gets memory for no more of them than can follow.
func elements[T any](w *wire, s *[]T, least int) {
	n := uint32(len(*s))
	number(w, &n)
	if !w.reading {
		return
	}
	if uint64(n)*uint64(least) > uint64(len(w.b)) {
		w.fail()
		n = 0
	}
	*s = make([]T, n)
}
