// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// absent stands for a member that this kernel does not have (ABSENT in bpf/record.h).
const absent = ^uint32(0)

// layout is where Landlock's structures have their members, in bytes.
type layout = objectDomainLayout

// maskFormat is which bits of a layer's mask, as the kernel stores it, are which rights.
type maskFormat struct {
	Classes [access.NumClasses]bitRange
	// Other are the bits of classes that are not known here.
	Other uint32
}

// bitRange is a run of bits, counted from the lowest; Width 0 if there is none.
type bitRange struct{ Shift, Width uint8 }

func (r bitRange) get(v uint32) uint32 {
	return uint32(uint64(v) >> r.Shift & (1<<r.Width - 1))
}

// decode turns a stored mask into rights.
func (f maskFormat) decode(mask uint32) access.Rights {
	var r access.Rights
	for c := range r {
		r[c] = f.Classes[c].get(mask)
	}
	return r
}

// resolveLayout finds Landlock's structures in a kernel's type information.
// Every layout is known by the members that are there, never by the kernel's
// version: distributions backport. fs is the mask of filesystem rights that
// the kernel accepts: one layout (Linux 6.7 to 6.10) keeps the network rights
// in the bits above them, and only the count of the former shows where.
func resolveLayout(spec *btf.Spec, fs uint32) (layout, maskFormat, error) {
	l := layout{
		Landlock: 1, NumRules: absent, Id: absent, Denials: absent,
		Details: absent, CreatorPid: absent, CreatorUid: absent, CreatorComm: absent,
		LogStatus: absent, CreatorExe: absent,
	}
	var f maskFormat

	cred, err := structByName(spec, "landlock_cred_security")
	if err != nil {
		return l, f, err
	}
	ptr, err := need(cred, "domain")
	if err != nil {
		return l, f, err
	}
	l.Blob = ptr.offset
	// landlock_ruleset until Linux 7.2, landlock_domain from 7.3 on.
	domain, err := pointee(ptr, cred)
	if err != nil {
		return l, f, err
	}
	hierarchyField, err := need(domain, "hierarchy")
	if err != nil {
		return l, f, err
	}
	l.Hierarchy = hierarchyField.offset
	numLayers, err := need(domain, "num_layers")
	if err != nil {
		return l, f, err
	}
	if !hasSize(numLayers, 4) {
		size, _ := btf.Sizeof(numLayers.typ)
		return l, f, fmt.Errorf("%s.num_layers has %d bytes, expected 4", domain.Name, size)
	}
	l.NumLayers = numLayers.offset
	if m, ok := findRules(domain, "num_rules"); ok && hasSize(m, 4) {
		l.NumRules = m.offset
	}
	if err := resolveMasks(domain, fs, &l, &f); err != nil {
		return l, f, err
	}

	hierarchy, err := pointee(hierarchyField, domain)
	if err != nil {
		return l, f, err
	}
	parent, err := need(hierarchy, "parent")
	if err != nil {
		return l, f, err
	}
	if _, err := pointee(parent, hierarchy); err != nil {
		return l, f, err
	}
	l.Parent = parent.offset
	if m, ok := find(hierarchy, "id"); ok && hasSize(m, 8) {
		l.Id = m.offset
	}
	if m, ok := find(hierarchy, "num_denials"); ok && hasSize(m, 8) {
		l.Denials = m.offset
	}
	if m, ok := find(hierarchy, "log_status"); ok && hasSize(m, 4) {
		l.LogStatus = m.offset
	}
	resolveCreator(hierarchy, &l)
	return l, f, nil
}

// resolveMasks finds the array of each layer's handled rights: one after the
// other fs_access_masks (Linux 5.13), access_masks (6.7) and handled_masks
// (7.3), with elements that are plain numbers or structures of bit fields.
func resolveMasks(domain *btf.Struct, fs uint32, l *layout, f *maskFormat) error {
	for _, name := range []string{"handled_masks", "access_masks", "fs_access_masks"} {
		m, ok := find(domain, name)
		if !ok {
			continue
		}
		arr, ok := btf.As[*btf.Array](m.typ)
		if !ok {
			return fmt.Errorf("%s.%s is not an array", domain.Name, name)
		}
		size, err := btf.Sizeof(arr.Type)
		if err != nil || size != 2 && size != 4 {
			return fmt.Errorf("%s.%s has elements of %d bytes, expected 2 or 4", domain.Name, name, size)
		}
		l.Masks, l.MaskSize = m.offset, uint32(size)
		el, isStruct := btf.As[*btf.Struct](arr.Type)
		switch {
		case isStruct:
			return resolveBitFields(el, bigEndian, f)
		case size == 2:
			f.Classes[access.FS] = bitRange{0, 16}
		default:
			n := uint8(bits.Len32(fs))
			f.Classes[access.FS] = bitRange{0, n}
			f.Classes[access.Net] = bitRange{n, 32 - n}
		}
		return nil
	}
	return fmt.Errorf("%s has no array of handled rights", domain.Name)
}

func resolveBitFields(s *btf.Struct, bigEndian bool, f *maskFormat) error {
	for _, m := range s.Members {
		width := m.BitfieldSize
		if width == 0 {
			size, err := btf.Sizeof(m.Type)
			if err != nil {
				return fmt.Errorf("%s.%s: %w", s.Name, m.Name, err)
			}
			width = btf.Bits(size * 8)
		}
		shift := m.Offset
		if bigEndian {
			shift = btf.Bits(s.Size*8) - m.Offset - width
		}
		if shift+width > 32 {
			return fmt.Errorf("%s.%s is outside the first 32 bits", s.Name, m.Name)
		}
		if class, ok := access.ClassOf(m.Name); ok {
			f.Classes[class] = bitRange{uint8(shift), uint8(width)}
		} else {
			// A kind of right that came later: it is noted that a layer handles some.
			f.Other |= uint32((uint64(1)<<width - 1) << shift)
		}
	}
	if f.Classes[access.FS].Width == 0 {
		return fmt.Errorf("%s has no member fs", s.Name)
	}
	return nil
}

// resolveCreator finds who created a domain (from Linux 6.15 on, with audit).
func resolveCreator(hierarchy *btf.Struct, l *layout) {
	m, ok := find(hierarchy, "details")
	if !ok {
		return
	}
	details, err := pointee(m, hierarchy)
	if err != nil {
		return
	}
	pid, okPID := find(details, "pid")
	uid, okUID := find(details, "uid")
	comm, okComm := find(details, "comm")
	if _, err := pointee(pid, details); err != nil {
		return
	}
	if okPID && okUID && hasSize(uid, 4) && okComm && hasSize(comm, 16) {
		l.Details = m.offset
		l.CreatorPid, l.CreatorUid, l.CreatorComm = pid.offset, uid.offset, comm.offset
		if exe, ok := find(details, "exe_path"); ok {
			if a, ok := btf.As[*btf.Array](exe.typ); ok && hasSize(member{typ: a.Type}, 1) {
				l.CreatorExe = exe.offset
			}
		}
	}
}

// logFormat is which status of logging each number stands for: Linux 7.3 numbers them
// differently.
type logFormat map[uint16]domainid.LogStatus

func resolveLog(spec *btf.Spec) logFormat {
	var e *btf.Enum
	if err := spec.TypeByName("landlock_log_status", &e); err != nil {
		return nil
	}
	f := logFormat{}
	for _, v := range e.Values {
		for name, status := range map[string]domainid.LogStatus{
			"LANDLOCK_LOG_PENDING": domainid.LogPending, "LANDLOCK_LOG_RECORDED": domainid.LogRecorded, "LANDLOCK_LOG_DISABLED": domainid.LogDisabled,
		} {
			if v.Name == name {
				f[uint16(v.Value)] = status
			}
		}
	}
	return f
}

// bigEndian is the byte order of this machine, and so of its kernel's BTF: bit
// fields are counted from the other end there.
var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// member is one member of a structure, with its offset in bytes from the
// structure's beginning.
type member struct {
	name   string
	offset uint32
	typ    btf.Type
}

// find looks a member up by name, also in unnamed structures and unions inside.
func find(s *btf.Struct, name string) (member, bool) { return findIn(s.Members, 0, name, 0) }

func findIn(members []btf.Member, base uint32, name string, level int) (member, bool) {
	for _, m := range members {
		off := base + m.Offset.Bytes()
		if m.Name == name {
			return member{name, off, m.Type}, true
		}
		if m.Name != "" || level > 8 {
			continue
		}
		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			if r, ok := findIn(t.Members, off, name, level+1); ok {
				return r, true
			}
		case *btf.Union:
			if r, ok := findIn(t.Members, off, name, level+1); ok {
				return r, true
			}
		}
	}
	return member{}, false
}

// hasSize reports whether a member has the width at which the program reads it.
func hasSize(m member, bytes int) bool {
	n, err := btf.Sizeof(m.typ)
	return err == nil && n == bytes
}

func need(s *btf.Struct, name string) (member, error) {
	m, ok := find(s, name)
	if !ok {
		return m, fmt.Errorf("struct %s has no member %s", s.Name, name)
	}
	return m, nil
}

func pointee(m member, of *btf.Struct) (*btf.Struct, error) {
	if p, ok := btf.As[*btf.Pointer](m.typ); ok {
		if s, ok := btf.As[*btf.Struct](p.Target); ok {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%s.%s does not point to a structure", of.Name, m.name)
}

func structByName(spec *btf.Spec, name string) (*btf.Struct, error) {
	var s *btf.Struct
	if err := spec.TypeByName(name, &s); err != nil {
		return nil, fmt.Errorf("struct %s: %w", name, err)
	}
	return s, nil
}
