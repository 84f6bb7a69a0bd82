// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"io"
	"iter"
	"maps"
	"unsafe"
)

// Bits of a way.
const (
	wayUnread   = uint32(objectWayBitsWAY_UNREAD)
	wayPart     = uint32(objectWayBitsWAY_PART)
	wayUnplaced = uint32(objectWayBitsWAY_UNPLACED)
	wayObject   = uint32(objectWayBitsWAY_OBJECT)
	wayMounted  = uint32(objectWayBitsWAY_MOUNTED)
)

// maxWayWords is how many words a record of ways can have.
const maxWayWords = int(objectLimitWAY_WORDS)

// way is one that leads to an object, or to a part of what is below it, by the keys of
// the rules that lie on it. With other bits than wayPart it is none, or not all of one.
type way struct {
	object, bits uint32
	keys         []uint64
}

// waySet is all ways that a mount namespace has. Namespaces that have the same share it.
type waySet struct {
	raw  string // the words of the record
	bits uint32
	ways []way
	used uint64 // the last scan that had it
}

// spaces are the ways that the mount namespaces of a scan have.
type spaces struct {
	sets  map[string]*waySet
	of    []*waySet // by number; nil: they were not read. 0 has what holds in all
	last  []*waySet // of the last scan, likewise
	scan  uint64
	whole *waySet // of which nothing is known
	// changing: some were not read whole, mostly as mounts changed meanwhile.
	changing bool
	// ended: nothing follows that has a number.
	ended bool
}

func newSpaces() spaces {
	return spaces{sets: map[string]*waySet{}, whole: &waySet{bits: wayUnread}}
}

// readWays looks for what leads to the objects, in the mount namespaces of tasks in
// domains. It comes behind all other passes: the rules of all domains that those found
// lie where they lie by then.
func (s *Source) readWays(ctx context.Context) error {
	s.spaces.begin(int(s.control.NumSpaces))
	if len(s.objects) == 0 {
		s.spaces.end()
		return nil
	}
	var err error
	for look := 0; look < waysLooks && err == nil && (look == 0 || s.spaces.changing); look++ {
		s.spaces.changing, s.spaces.ended = false, false
		err = s.read(ctx, waysFile, s.spaces.block)
	}
	s.spaces.end()
	return err
}

// waysLooks is how often ways are looked for while mounts change. Users may have them change
// where all others' are, by setuid programs, and are to blind nobody.
const waysLooks = 4

func (s *spaces) begin(n int) {
	s.scan++
	s.last, s.of = s.of, s.last
	if cap(s.of) <= n {
		s.of = make([]*waySet, n+1)
	}
	s.of = s.of[:n+1]
	clear(s.of)
}

// end forgets what no namespace of this scan has.
func (s *spaces) end() {
	maps.DeleteFunc(s.sets, func(_ string, set *waySet) bool { return set.used != s.scan })
}

// forget drops what was read in this scan.
func (s *spaces) forget() { clear(s.of) }

// facts returns what holds of the objects in all namespaces.
func (s *spaces) facts() *waySet {
	if len(s.of) > 0 && s.of[0] != nil {
		return s.of[0]
	}
	return s.whole
}

// at returns the ways of a namespace by its number.
func (s *spaces) at(number uint16) *waySet {
	if number > 0 && int(number) < len(s.of) && s.of[number] != nil && s.of[0] != nil {
		return s.of[number]
	}
	return s.whole
}

// block takes the records of one read. Its error is [io.EOF] if those were the last.
func (s *spaces) block(b []byte) error {
	if err := parse(b, s); err != nil || !s.ended {
		return err
	}
	return io.EOF
}

func (s *spaces) take(record any, rest []byte) {
	if _, is := record.(*endRecord); is {
		s.ended = true
		return
	}
	r, ok := record.(*waysRecord)
	if !ok || int(r.Space) >= len(s.of) {
		return
	}
	s.changing = s.changing || r.Bits != 0
	if r.Bits&wayUnread != 0 {
		return
	}
	set := s.sets[unsafe.String(unsafe.SliceData(rest), len(rest))]
	if set == nil {
		ways, whole := parseWays(listOf[uint64](rest))
		if !whole {
			return
		}
		set = &waySet{raw: string(rest), ways: ways}
		s.sets[set.raw] = set
	}
	set.used = s.scan
	s.of[r.Space] = set
}

// parseWays reports whether the words are ways from the first to the last.
func parseWays(words []uint64) ([]way, bool) {
	var ways []way
	for len(words) > 0 {
		head := words[0]
		w := way{object: uint32(head & 0xffff), bits: uint32(head >> 16 & 0xffff)}
		n := head >> 32
		if words = words[1:]; n > uint64(len(words)) {
			return nil, false
		}
		w.keys, words = append([]uint64(nil), words[:n]...), words[n:]
		ways = append(ways, w)
	}
	return ways, true
}

// of yields what a set has of an object.
func (s *waySet) of(object uint32) iter.Seq[*way] {
	return func(yield func(*way) bool) {
		for i := range s.ways {
			if s.ways[i].object == object && !yield(&s.ways[i]) {
				return
			}
		}
	}
}
