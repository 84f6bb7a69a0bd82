// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// fakeRing is the kernel's side of a ring in ordinary memory.
type fakeRing struct {
	*ring
	written uint64
}

const fakeSize = 1 << 12

func newFakeRing() *fakeRing {
	return &fakeRing{ring: newRing(make([]byte, 4096), make([]byte, 4096), make([]byte, 2*fakeSize))}
}

// write adds a record, if there is room; flags are those of its head.
func (f *fakeRing) write(record []byte, flags uint32) bool {
	room := uint64(len(record)+headerSize+7) &^ 7
	if f.written+room-atomic.LoadUint64(f.consumer) > fakeSize {
		return false
	}
	b := make([]byte, room)
	binary.NativeEndian.PutUint32(b, uint32(len(record))|flags)
	copy(b[headerSize:], record)
	for i, c := range b {
		at := (f.written + uint64(i)) % fakeSize
		f.data[at], f.data[at+fakeSize] = c, c // the same memory, in the kernel
	}
	f.written += room
	atomic.StoreUint64(f.producer, f.written)
	return true
}

// finish makes the record at a position one that is no longer written to.
func (f *fakeRing) finish(at uint64) {
	for _, i := range []uint64{at % fakeSize, at%fakeSize + fakeSize} {
		head := binary.NativeEndian.Uint32(f.data[i:])
		binary.NativeEndian.PutUint32(f.data[i:], head&^busyBit)
	}
}

func TestRing(t *testing.T) {
	f := newFakeRing()
	rnd := rand.New(rand.NewPCG(1, 2))
	var want, got []string
	for i := range 5000 {
		record := []byte(fmt.Sprintf("%d:%0*d", i, rnd.IntN(300)+1, 0))
		switch {
		case rnd.IntN(10) == 0:
			f.write(record, discardBit)
		case f.write(record, 0):
			want = append(want, string(record))
		}
		if rnd.IntN(5) == 0 {
			f.read(func(b []byte) { got = append(got, string(b)) })
		}
	}
	f.read(func(b []byte) { got = append(got, string(b)) })
	if len(got) != len(want) || len(want) < 1000 {
		t.Fatalf("%d of %d records were read", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("record %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestRingWaitsForWriters(t *testing.T) {
	f := newFakeRing()
	f.write([]byte("first"), 0)
	at := f.written
	f.write([]byte("second"), busyBit)
	f.write([]byte("third"), 0)
	var got []string
	read := func() int { return f.read(func(b []byte) { got = append(got, string(b)) }) }
	if n := read(); n != 1 || len(got) != 1 {
		t.Errorf("%v is read while the second is written", got)
	}
	if n := read(); n != 0 {
		t.Errorf("%v", got)
	}
	f.finish(at)
	if n := read(); n != 2 || got[2] != "third" {
		t.Errorf("%v", got)
	}
}

// Whatever is in the ring, reading ends and stays in its memory.
func TestRingOfNonsense(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		f := newFakeRing()
		for i := range f.data {
			f.data[i] = byte(rnd.Uint32())
		}
		*f.producer = rnd.Uint64N(3 * fakeSize)
		*f.consumer = rnd.Uint64N(3*fakeSize) &^ 7
		before := *f.consumer
		f.read(func(b []byte) { _ = b[len(b):] })
		if *f.consumer < before {
			t.Fatalf("it went back from %d to %d", before, *f.consumer)
		}
	}
}
