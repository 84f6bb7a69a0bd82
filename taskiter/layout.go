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
	r := &resolver{spec: spec}
	l := layout{Landlock: 1}
	var domain *btf.Struct
	domain, l.Blob = r.domain()
	m := r.need(domain, "hierarchy")
	l.Hierarchy = m.offset
	hierarchy := r.pointee(m)
	l.NumLayers = r.sized(domain, "num_layers", 4)
	l.NumRules = absent
	if m, ok := findRules(domain, "num_rules"); ok && m.hasSize(4) {
		l.NumRules = m.offset
	}
	f := resolveMasks(r, domain, fs, &l)

	parent := r.need(hierarchy, "parent")
	r.pointee(parent)
	l.Parent = parent.offset
	l.Id = offsetOf(hierarchy, "id", 8)
	l.Denials = offsetOf(hierarchy, "num_denials", 8)
	l.LogStatus = offsetOf(hierarchy, "log_status", 4)
	resolveCreator(hierarchy, &l)
	return l, f, r.err
}

// resolveMasks finds what each layer handles, with elements that are plain numbers or
// structures of bit fields.
func resolveMasks(r *resolver, domain *btf.Struct, fs uint32, l *layout) (f maskFormat) {
	m, step := r.masks(domain)
	size, err := btf.Sizeof(m.typ)
	if err != nil || size != 2 && size != 4 {
		r.fail(fmt.Errorf("%s.%s has elements of %d bytes, expected 2 or 4", domain.Name, m.name, size))
		return f
	}
	l.Masks, l.MaskSize, l.MaskStep = m.offset, uint32(size), step
	el, isStruct := btf.As[*btf.Struct](m.typ)
	switch {
	case isStruct:
		r.fail(resolveBitFields(el, bigEndian, &f))
	case size == 2:
		f.Classes[access.FS] = bitRange{0, 16}
	default:
		n := uint8(bits.Len32(fs))
		f.Classes[access.FS] = bitRange{0, n}
		f.Classes[access.Net] = bitRange{n, 32 - n}
	}
	return f
}

// masks returns the rights that a domain's outermost layer handles, and how many bytes it is
// to the next one's: in an array, one after the other fs_access_masks (Linux 5.13),
// access_masks (6.7) and handled_masks (7.3), or in one of structures, as it is proposed.
func (r *resolver) masks(domain *btf.Struct) (m member, step uint32) {
	for _, name := range []string{"handled_masks", "access_masks", "fs_access_masks", "layers"} {
		array, ok := find(domain, name)
		if !ok {
			continue
		}
		array.typ = r.elements(array)
		size, _ := btf.Sizeof(array.typ)
		if layer, ok := btf.As[*btf.Struct](array.typ); ok && name == "layers" {
			m = r.need(layer, "handled")
			m.offset += array.offset
			return m, uint32(size)
		}
		return array, uint32(size)
	}
	r.fail(fmt.Errorf("%s has no array of handled rights", domain.Name))
	return member{typ: &btf.Void{}}, 0
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
	l.Details, l.CreatorPid, l.CreatorUid = absent, absent, absent
	l.CreatorComm, l.CreatorExe = absent, absent
	r := &resolver{}
	m := r.need(hierarchy, "details")
	details := r.pointee(m)
	pid := r.need(details, "pid")
	r.pointee(pid)
	uid, comm := r.sized(details, "uid", 4), r.sized(details, "comm", 16)
	if r.err != nil {
		return
	}
	l.Details, l.CreatorPid, l.CreatorUid, l.CreatorComm = m.offset, pid.offset, uid, comm
	if exe, ok := find(details, "exe_path"); ok {
		if (member{typ: r.elements(exe)}).hasSize(1) {
			l.CreatorExe = exe.offset
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
	statuses := map[string]domainid.LogStatus{
		"LANDLOCK_LOG_PENDING":  domainid.LogPending,
		"LANDLOCK_LOG_RECORDED": domainid.LogRecorded,
		"LANDLOCK_LOG_DISABLED": domainid.LogDisabled,
	}
	f := logFormat{}
	for _, v := range e.Values {
		if status, ok := statuses[v.Name]; ok {
			f[uint16(v.Value)] = status
		}
	}
	return f
}

// bigEndian is the byte order of this machine, and so of its kernel's BTF: bit
// fields are counted from the other end there.
var bigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1
