// SPDX-License-Identifier: Apache-2.0

// Package rulesets makes random sandboxes of which everything is known, puts
// threads into them, compares what a scan says of them with what was asked for,
// and has the threads try what they may do.
//
// It works by thread and not by process, so that it needs nothing but itself:
// it also runs in guests that have no other program.
package rulesets

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/test/sandbox"
)

// Maker makes random sandboxes.
type Maker struct {
	Random    *rand.Rand
	Supported access.Rights
	// Dirs and Plain are what rules on files may be on: directories, and files
	// that are none.
	Dirs, Plain []string
	// PortChoices are the ports that rules may be on.
	PortChoices []uint16
}

// Make returns a random sandbox of a number of layers.
func (m *Maker) Make(layers int) sandbox.Sandbox {
	var s sandbox.Sandbox
	for range layers {
		s = append(s, m.layer())
	}
	return s
}

// only returns a sandbox that denies all but some rights: those are granted below a directory,
// on all ports, or not handled.
func (m *Maker) only(rights []access.Right, top string) sandbox.Sandbox {
	l := sandbox.Layer{Handled: m.Supported, Files: map[string]uint32{}, Ports: map[uint16]uint32{}}
	for _, r := range rights {
		switch r.Class {
		case access.FS:
			l.Files[top] |= m.Supported[access.FS] & (1 << r.Bit)
		case access.Net:
			for _, port := range m.PortChoices {
				l.Ports[port] |= m.Supported[access.Net] & (1 << r.Bit)
			}
		case access.Scope:
			l.Handled[access.Scope] &^= 1 << r.Bit
		}
	}
	maps.DeleteFunc(l.Files, func(_ string, rights uint32) bool { return rights == 0 })
	maps.DeleteFunc(l.Ports, func(_ uint16, rights uint32) bool { return rights == 0 })
	return sandbox.Sandbox{l}
}

func (m *Maker) layer() sandbox.Layer {
	l := sandbox.Layer{Files: map[string]uint32{}, Ports: map[uint16]uint32{}}
	for l.Handled == (access.Rights{}) {
		for class, mask := range m.Supported {
			l.Handled[class] = m.some(mask)
		}
	}
	m.grant(l.Handled[access.FS], m.Random.IntN(4), func(rights uint32) { l.Files[m.Dirs[m.Random.IntN(len(m.Dirs))]] |= rights })
	m.grant(l.Handled[access.FS]&access.OnFiles()[access.FS], m.Random.IntN(2), func(rights uint32) {
		l.Files[m.Plain[m.Random.IntN(len(m.Plain))]] |= rights
	})
	m.grant(l.Handled[access.FS], m.Random.IntN(2), func(rights uint32) { l.Files["/"] |= rights })
	m.grant(l.Handled[access.Net], m.Random.IntN(5), func(rights uint32) {
		l.Ports[m.PortChoices[m.Random.IntN(len(m.PortChoices))]] |= rights
	})
	return l
}

// grant calls add up to n times with some of the rights.
func (m *Maker) grant(rights uint32, n int, add func(uint32)) {
	for range n {
		if r := m.some(rights); r != 0 {
			add(r)
		}
	}
}

// some returns none, all, few or half of the bits of a mask.
func (m *Maker) some(mask uint32) uint32 {
	switch m.Random.IntN(6) {
	case 0:
		return 0
	case 1:
		return mask
	case 2:
		return mask & m.Random.Uint32() & m.Random.Uint32()
	default:
		return mask & m.Random.Uint32()
	}
}

// Restricted returns what a sandbox restricts.
func Restricted(s sandbox.Sandbox, abi int) access.Rights {
	var r access.Rights
	for _, l := range s {
		r = r.Union(access.Implied(l.Handled, abi).Without(access.Rights{access.FS: l.Files["/"]}))
	}
	return r
}

// rulesOf returns what a scan says of a layer's rules.
func rulesOf(l *sandbox.Layer) (*domainid.Ruleset, error) {
	rs := &domainid.Ruleset{
		Rules: uint32(len(l.Files) + len(l.Ports)),
	}
	for port, rights := range l.Ports {
		rs.Ports = append(rs.Ports, domainid.PortRule{Port: port, Net: rights})
	}
	for path, rights := range l.Files {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return nil, fmt.Errorf("stat %s: %w", path, err)
		}
		root, err := isFilesystemRoot(path, &st)
		if err != nil {
			return nil, err
		}
		rs.Inodes = append(rs.Inodes, domainid.InodeRule{Dev: st.Dev, Ino: st.Ino, FS: rights, FSRoot: root})
	}
	sortRules(rs)
	return rs, nil
}

// isFilesystemRoot reports whether a path is where a filesystem is mounted: its
// parent is of another, or it is its own parent.
func isFilesystemRoot(path string, st *unix.Stat_t) (bool, error) {
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return false, nil
	}
	var parent unix.Stat_t
	if err := unix.Stat(path+"/..", &parent); err != nil {
		return false, fmt.Errorf("stat %s/..: %w", path, err)
	}
	return parent.Dev != st.Dev || parent.Ino == st.Ino, nil
}

func sortRules(rs *domainid.Ruleset) {
	slices.SortFunc(rs.Ports, func(a, b domainid.PortRule) int { return cmp.Compare(a.Port, b.Port) })
	slices.SortFunc(rs.Inodes, func(a, b domainid.InodeRule) int {
		return cmp.Or(cmp.Compare(a.Dev, b.Dev), cmp.Compare(a.Ino, b.Ino))
	})
}
