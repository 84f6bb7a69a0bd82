// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"slices"
	"sync"
	"weak"
)

// content stands for what snapshots have in common whose scans came to the same, and has what was
// counted of it, by key.
type content struct{ counts sync.Map }

// onceCounted is one count.
type onceCounted struct {
	once  sync.Once
	value any
}

// Identity names what a snapshot shows, without when, among all snapshots of this process: it is
// that of each snapshot that [Snapshot.Again] made of one, and of no other. It keeps no memory.
type Identity struct{ of weak.Pointer[content] }

// Identity returns the snapshot's. Before Conclude it has none: then it is like none, not even
// itself.
func (s *Snapshot) Identity() Identity { return Identity{weak.Make(s.content)} }

// Is reports whether a snapshot shows what the one did whose identity this is.
func (i Identity) Is(s *Snapshot) bool { return s.content != nil && i == s.Identity() }

// Again returns the snapshot of a scan that came to the same as that of s, which is concluded and
// may have been published. They share what they show. Whoever makes it sets what is of the scan
// alone.
func (s *Snapshot) Again() *Snapshot {
	again := *s
	again.shared = true
	return &again
}

// Own makes the processes and workers of a snapshot its own, which nobody else has yet: whoever
// is to set something in them calls it before.
func (s *Snapshot) Own() {
	if s.shared {
		s.Processes, s.Workers = slices.Clone(s.Processes), slices.Clone(s.Workers)
		s.shared, s.content = false, new(content)
	}
}

// CountOnce returns what count returns of a snapshot. Of snapshots with the same identity it is
// called once for each key: the result is shared, and must not be changed. A key is a value of a
// type of its caller's.
func CountOnce[T any](s *Snapshot, key any, count func(*Snapshot) T) T {
	if s.content == nil {
		return count(s)
	}
	c, ok := s.content.counts.Load(key)
	if !ok {
		c, _ = s.content.counts.LoadOrStore(key, new(onceCounted))
	}
	one := c.(*onceCounted)
	one.once.Do(func() { one.value = count(s) })
	return one.value.(T)
}

// countKey is the keys of this package.
type countKey uint8

const (
	countsKey countKey = iota
	byWorkloadKey
	assetsKey
	assetsByWorkloadKey
)
