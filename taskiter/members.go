// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// member is one member of a structure, with its offset in bytes from the
// structure's beginning.
type member struct {
	of     *btf.Struct
	name   string
	offset uint32
	typ    btf.Type
}

// walkMembers calls f with all members and their offsets, also with those of unnamed
// structures and unions inside, until it returns false.
func walkMembers(list []btf.Member, base btf.Bits, level int, f func(btf.Member, btf.Bits) bool) bool {
	for _, m := range list {
		var inside []btf.Member
		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inside = t.Members
		case *btf.Union:
			inside = t.Members
		}
		goesOn := true
		if m.Name != "" {
			goesOn = f(m, base+m.Offset)
		} else if level < 8 {
			goesOn = walkMembers(inside, base+m.Offset, level+1, f)
		}
		if !goesOn {
			return false
		}
	}
	return true
}

// find looks a member up by name.
func find(s *btf.Struct, name string) (found member, ok bool) {
	walkMembers(s.Members, 0, 0, func(m btf.Member, at btf.Bits) bool {
		if m.Name == name {
			found, ok = member{s, name, at.Bytes(), m.Type}, true
		}
		return !ok
	})
	return found, ok
}

// hasSize reports whether a member has the width at which the program reads it.
func (m member) hasSize(bytes int) bool {
	n, err := btf.Sizeof(m.typ)
	return err == nil && n == bytes
}

// offsetOf returns the offset of a member of a size, or absent.
func offsetOf(s *btf.Struct, name string, size int) uint32 {
	if m, ok := find(s, name); ok && m.hasSize(size) {
		return m.offset
	}
	return absent
}

// structByName returns a structure, an empty one if there is none.
func structByName(spec *btf.Spec, name string) (*btf.Struct, error) {
	s := &btf.Struct{}
	if err := spec.TypeByName(name, &s); err != nil {
		return s, fmt.Errorf("struct %s: %w", name, err)
	}
	return s, nil
}

// resolver looks up what must be there, and keeps the first error: what it returns
// from then on means nothing.
type resolver struct {
	spec *btf.Spec
	err  error
}

// fail keeps an error, unless it is nil or there is one.
func (r *resolver) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *resolver) structure(name string) *btf.Struct {
	s, err := structByName(r.spec, name)
	r.fail(err)
	return s
}

func (r *resolver) need(s *btf.Struct, name string) member {
	m, ok := find(s, name)
	if !ok {
		r.fail(fmt.Errorf("struct %s has no member %s", s.Name, name))
		return member{of: s, name: name, typ: &btf.Void{}}
	}
	return m
}

// sized returns the offset of a member that must have a size.
func (r *resolver) sized(s *btf.Struct, name string, bytes int) uint32 {
	m := r.need(s, name)
	if !m.hasSize(bytes) {
		size, _ := btf.Sizeof(m.typ)
		r.fail(fmt.Errorf("%s.%s has %d bytes, expected %d", s.Name, name, size, bytes))
	}
	return m.offset
}

// pointee returns the structure that a member points to.
func (r *resolver) pointee(m member) *btf.Struct {
	if p, ok := btf.As[*btf.Pointer](m.typ); ok {
		if s, ok := btf.As[*btf.Struct](p.Target); ok {
			return s
		}
	}
	r.fail(fmt.Errorf("%s.%s does not point to a structure", m.of.Name, m.name))
	return &btf.Struct{}
}

// elements returns the type of the elements of a member that is an array.
func (r *resolver) elements(m member) btf.Type {
	a, ok := btf.As[*btf.Array](m.typ)
	if !ok {
		r.fail(fmt.Errorf("%s.%s is not an array", m.of.Name, m.name))
		return &btf.Void{}
	}
	return a.Type
}

// domain returns the domain of a task's credentials, landlock_ruleset until Linux 7.2
// and landlock_domain from 7.3 on, and where Landlock's part of them points to it.
func (r *resolver) domain() (domain *btf.Struct, offset uint32) {
	m := r.need(r.structure("landlock_cred_security"), "domain")
	return r.pointee(m), m.offset
}
