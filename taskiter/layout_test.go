// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
)

// Types that kernels make Landlock's structures of.
var (
	typeU8   = &btf.Int{Name: "unsigned char", Size: 1}
	typeU16  = &btf.Int{Name: "unsigned short", Size: 2}
	typeU32  = &btf.Int{Name: "unsigned int", Size: 4}
	typeU64  = &btf.Int{Name: "unsigned long long", Size: 8}
	typeChar = &btf.Int{Name: "char", Size: 1, Encoding: btf.Char}
	typePtr  = &btf.Pointer{Target: &btf.Void{}}
)

// at is one member: its offset in bytes.
type at struct {
	name   string
	offset uint32
	typ    btf.Type
}

func structOf(name string, size uint32, members ...at) *btf.Struct {
	s := &btf.Struct{Name: name, Size: size}
	for _, m := range members {
		s.Members = append(s.Members, btf.Member{Name: m.name, Type: m.typ, Offset: btf.Bits(m.offset * 8)})
	}
	return s
}

func arrayOf(t btf.Type, n uint32) *btf.Array { return &btf.Array{Index: typeU32, Type: t, Nelems: n} }

// bitField is a member of struct access_masks.
type bitField struct {
	name  string
	width btf.Bits
}

// accessMasks makes struct access_masks as a little-endian compiler lays it out,
// of a typedef of the unsigned type under it, as kernels have it.
func accessMasks(of btf.Type, fields ...bitField) *btf.Struct {
	size, _ := btf.Sizeof(of)
	s := &btf.Struct{Name: "access_masks", Size: uint32(size)}
	var pos btf.Bits
	for _, f := range fields {
		s.Members = append(s.Members, btf.Member{
			Name: f.name, Type: &btf.Typedef{Name: "access_mask_t", Type: of}, Offset: pos, BitfieldSize: f.width,
		})
		pos += f.width
	}
	return s
}

// kernelTypes are the types of one kernel, as far as Landlock's go.
type kernelTypes struct {
	domainName string // of the structure that the credentials point to
	hierarchy  *btf.Struct
	masksName  string
	masks      btf.Type // element
	twoRoots   bool
	credPacked bool // from 6.15 on: 11 bytes
}

// hierarchyOf makes struct landlock_hierarchy: until 6.14 parent and usage only.
func hierarchyOf(audit, quiet bool) *btf.Struct {
	h := structOf("landlock_hierarchy", 16, at{"usage", 8, typeU32})
	parent := btf.Member{Name: "parent", Type: &btf.Pointer{Target: h}}
	h.Members = slices.Insert(h.Members, 0, parent)
	if !audit {
		return h
	}
	details := structOf("landlock_details", 32,
		at{"pid", 0, &btf.Pointer{Target: structOf("pid", 8, at{"level", 4, typeU32})}},
		at{"uid", 8, typeU32}, at{"comm", 12, arrayOf(typeChar, 16)}, at{"exe_path", 28, arrayOf(typeChar, 0)})
	h.Size = 48
	for _, m := range []at{
		{"log_status", 12, typeU32}, {"num_denials", 16, typeU64}, {"id", 24, typeU64},
		{"details", 32, &btf.Pointer{Target: &btf.Const{Type: details}}},
	} {
		h.Members = append(h.Members, btf.Member{Name: m.name, Type: m.typ, Offset: btf.Bits(m.offset * 8)})
	}
	if quiet {
		h.Members = append(h.Members, btf.Member{Name: "quiet_masks", Type: typeU32, Offset: 42 * 8})
	}
	return h
}

// spec lays the types out and passes them through BTF.
func (k kernelTypes) spec(t testing.TB) *btf.Spec {
	t.Helper()
	work := structOf("work_struct", 32)
	// { struct work_struct work_free;
	// struct { refcount_t usage; u32 num_rules; u32 num_layers; masks[] }; }
	counts := &btf.Struct{Size: 16, Members: []btf.Member{
		{Name: "usage", Type: typeU32},
		{Name: "num_rules", Type: typeU32, Offset: 4 * 8},
		{Name: "num_layers", Type: typeU32, Offset: 8 * 8},
		{Name: k.masksName, Type: arrayOf(k.masks, 0), Offset: 12 * 8},
	}}
	union := &btf.Union{Size: 32, Members: []btf.Member{{Name: "work_free", Type: work}, {Type: counts}}}
	domain := &btf.Struct{Name: k.domainName}
	off := uint32(0)
	add := func(name string, typ btf.Type, size uint32) {
		domain.Members = append(domain.Members, btf.Member{Name: name, Type: typ, Offset: btf.Bits(off * 8)})
		off += size
	}
	if k.twoRoots {
		add("root_inode", typePtr, 8)
		add("root_net_port", typePtr, 8)
	} else {
		add("root", typePtr, 8)
	}
	add("hierarchy", &btf.Pointer{Target: k.hierarchy}, 8)
	add("", union, 32)
	domain.Size = off
	cred := structOf("landlock_cred_security", 8, at{"domain", 0, &btf.Pointer{Target: domain}})
	if k.credPacked {
		cred.Size = 11
		cred.Members = append(cred.Members, btf.Member{Name: "domain_exec", Type: typeU16, Offset: 8 * 8},
			btf.Member{Name: "log_subdomains_off", Type: typeU8, Offset: 10 * 8, BitfieldSize: 1})
	}
	return specOf(t, cred)
}

func specOf(t testing.TB, types ...btf.Type) *btf.Spec {
	t.Helper()
	b, err := btf.NewBuilder(types, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, btf.KernelMarshalOptions())
	if err != nil {
		t.Fatal(err)
	}
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// fsRights is the mask of the lowest n filesystem rights.
func fsRights(n int) uint32 { return 1<<n - 1 }

// TestResolveLayoutOfEveryKernel: every form that Landlock's structures had
// (Linux 5.13 to 7.3).
func TestResolveLayoutOfEveryKernel(t *testing.T) {
	if bigEndian {
		t.Skip("the bit fields here are those of a little-endian compiler")
	}
	old, withID, quiet := hierarchyOf(false, false), hierarchyOf(true, false), hierarchyOf(true, true)
	type decoded struct {
		stored uint32
		want   access.Rights
	}
	for _, c := range []struct {
		name   string
		types  kernelTypes
		fs     uint32 // that the kernel accepts
		format maskFormat
		size   uint32 // of one mask
		decode []decoded
	}{
		{
			"5.13 to 5.18", kernelTypes{domainName: "landlock_ruleset", hierarchy: old, masksName: "fs_access_masks", masks: typeU16},
			fsRights(13), formatOf(0, bitRange{0, 16}), 2,
			[]decoded{{0x1fff, access.Rights{access.FS: 0x1fff}}, {0, access.Rights{}}},
		},
		{
			"5.19 to 6.6", kernelTypes{domainName: "landlock_ruleset", hierarchy: old, masksName: "fs_access_masks", masks: typeU16},
			fsRights(15), formatOf(0, bitRange{0, 16}), 2,
			[]decoded{{0x7fff, access.Rights{access.FS: 0x7fff}}},
		},
		{
			"6.7 to 6.9", kernelTypes{domainName: "landlock_ruleset", hierarchy: old, masksName: "access_masks", masks: typeU32, twoRoots: true},
			fsRights(15), formatOf(0, bitRange{0, 15}, bitRange{15, 17}), 4,
			[]decoded{{0x7fff, access.Rights{access.FS: 0x7fff}}, {3<<15 | 1, access.Rights{access.FS: 1, access.Net: 3}}, {1 << 15, access.Rights{access.Net: 1}}},
		},
		{
			"6.10", kernelTypes{domainName: "landlock_ruleset", hierarchy: old, masksName: "access_masks", masks: typeU32, twoRoots: true},
			fsRights(16), formatOf(0, bitRange{0, 16}, bitRange{16, 16}), 4,
			[]decoded{{1 << 15, access.Rights{access.FS: 1 << 15}}, {1 << 16, access.Rights{access.Net: 1}}},
		},
		{
			"6.11", kernelTypes{
				domainName: "landlock_ruleset", hierarchy: old, masksName: "access_masks", twoRoots: true,
				masks: accessMasks(typeU32, bitField{"fs", 16}, bitField{"net", 2}),
			},
			fsRights(16), formatOf(0, bitRange{0, 16}, bitRange{16, 2}), 4,
			[]decoded{{0x3ffff, access.Rights{access.FS: 0xffff, access.Net: 3}}, {1 << 18, access.Rights{}}},
		},
		{
			"6.12 to 6.14", kernelTypes{
				domainName: "landlock_ruleset", hierarchy: old, masksName: "access_masks", twoRoots: true,
				masks: accessMasks(typeU32, bitField{"fs", 16}, bitField{"net", 2}, bitField{"scope", 2}),
			},
			fsRights(16), formatOf(0, bitRange{0, 16}, bitRange{16, 2}, bitRange{18, 2}), 4,
			[]decoded{{2<<18 | 1<<16 | 0x2000, access.Rights{access.FS: 0x2000, access.Net: 1, access.Scope: 2}}},
		},
		{
			"6.15 to 7.0", kernelTypes{
				domainName: "landlock_ruleset", hierarchy: withID, masksName: "access_masks", twoRoots: true, credPacked: true,
				masks: accessMasks(typeU32, bitField{"fs", 16}, bitField{"net", 2}, bitField{"scope", 2}),
			},
			fsRights(16), formatOf(0, bitRange{0, 16}, bitRange{16, 2}, bitRange{18, 2}), 4,
			[]decoded{{3 << 18, access.Rights{access.Scope: 3}}},
		},
		{
			"7.1", kernelTypes{
				domainName: "landlock_ruleset", hierarchy: withID, masksName: "access_masks", twoRoots: true, credPacked: true,
				masks: accessMasks(typeU32, bitField{"fs", 17}, bitField{"net", 2}, bitField{"scope", 2}),
			},
			fsRights(17), formatOf(0, bitRange{0, 17}, bitRange{17, 2}, bitRange{19, 2}), 4,
			[]decoded{{1<<16 | 1<<17 | 1<<20, access.Rights{access.FS: 1 << 16, access.Net: 1, access.Scope: 2}}},
		},
		{
			"7.2", kernelTypes{
				domainName: "landlock_ruleset", hierarchy: quiet, masksName: "access_masks", twoRoots: true, credPacked: true,
				masks: accessMasks(typeU32, bitField{"fs", 17}, bitField{"net", 4}, bitField{"scope", 2}),
			},
			fsRights(17), formatOf(0, bitRange{0, 17}, bitRange{17, 4}, bitRange{21, 2}), 4,
			[]decoded{{1<<20 | 1<<22, access.Rights{access.Net: 8, access.Scope: 2}}},
		},
		{
			"7.3", kernelTypes{
				domainName: "landlock_domain", hierarchy: quiet, masksName: "handled_masks", twoRoots: true, credPacked: true,
				masks: accessMasks(typeU32, bitField{"fs", 17}, bitField{"net", 4}, bitField{"scope", 2}),
			},
			fsRights(17), formatOf(0, bitRange{0, 17}, bitRange{17, 4}, bitRange{21, 2}), 4,
			[]decoded{{1<<23 - 1, access.Rights{access.FS: 1<<17 - 1, access.Net: 15, access.Scope: 3}}},
		},
		{
			"a kind of right that is not known yet", kernelTypes{
				domainName: "landlock_domain", hierarchy: quiet, masksName: "handled_masks", twoRoots: true, credPacked: true,
				masks: accessMasks(typeU32, bitField{"fs", 17}, bitField{"time", 3}, bitField{"net", 4}, bitField{"scope", 2}),
			},
			fsRights(17), formatOf(7<<17, bitRange{0, 17}, bitRange{20, 4}, bitRange{24, 2}), 4,
			[]decoded{{7<<17 | 1<<20, access.Rights{access.Net: 1}}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, f, err := resolveLayout(c.types.spec(t), c.fs)
			if err != nil {
				t.Fatal(err)
			}
			roots := uint32(8)
			if c.types.twoRoots {
				roots = 16
			}
			want := layout{
				Landlock: 1, Hierarchy: roots, NumRules: roots + 8 + 4, NumLayers: roots + 8 + 8, Masks: roots + 8 + 12,
				MaskSize: c.size, MaskStep: c.size, Id: absent, Denials: absent, Details: absent,
				CreatorPid: absent, CreatorUid: absent, CreatorComm: absent, LogStatus: absent, CreatorExe: absent,
			}
			if c.types.hierarchy != old {
				want.Id, want.Denials, want.Details = 24, 16, 32
				want.CreatorPid, want.CreatorUid, want.CreatorComm, want.CreatorExe, want.LogStatus = 0, 8, 12, 28, 12
			}
			if l != want {
				t.Errorf("layout\n got %+v\nwant %+v", l, want)
			}
			if f != c.format {
				t.Errorf("format: got %+v, want %+v", f, c.format)
			}
			for _, d := range c.decode {
				if got := f.decode(d.stored); got != d.want {
					t.Errorf("mask %#x: got %+v, want %+v", d.stored, got, d.want)
				}
			}
		})
	}
}

// TestResolveLayoutWithoutAudit: from 6.15 on, without CONFIG_AUDIT there is an
// ID at most, and what is known of the creator may lack members.
func TestResolveLayoutWithoutAudit(t *testing.T) {
	h := hierarchyOf(true, false)
	h.Members = slices.DeleteFunc(h.Members, func(m btf.Member) bool { return m.Name == "num_denials" || m.Name == "details" })
	types := kernelTypes{domainName: "landlock_ruleset", hierarchy: h, masksName: "access_masks", masks: typeU32, twoRoots: true}
	l, _, err := resolveLayout(types.spec(t), fsRights(16))
	if err != nil || l.Id != 24 || l.Denials != absent || l.Details != absent {
		t.Errorf("got %+v, %v", l, err)
	}
	h = hierarchyOf(true, false)
	for _, m := range h.Members {
		if m.Name == "details" {
			d, _ := btf.As[*btf.Struct](m.Type.(*btf.Pointer).Target)
			d.Members = d.Members[1:] // no pid
		}
	}
	types.hierarchy = h
	l, _, err = resolveLayout(types.spec(t), fsRights(16))
	if err != nil || l.Details != absent || l.CreatorPid != absent || l.CreatorUid != absent || l.CreatorComm != absent {
		t.Errorf("a creator without a PID: got %+v, %v", l, err)
	}
}

// TestBitFieldsBigEndian: there the first bit field is in the highest bits.
func TestBitFieldsBigEndian(t *testing.T) {
	masks := accessMasks(typeU32, bitField{"fs", 16}, bitField{"net", 2}, bitField{"scope", 2})
	var f maskFormat
	if err := resolveBitFields(masks, true, &f); err != nil {
		t.Fatal(err)
	}
	if want := (formatOf(0, bitRange{16, 16}, bitRange{14, 2}, bitRange{12, 2})); f != want {
		t.Errorf("got %+v, want %+v", f, want)
	}
	if got, want := f.decode(0x2000_0000|1<<14|2<<12), (access.Rights{access.FS: 0x2000, access.Net: 1, access.Scope: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	// A whole member is the same from both ends.
	whole := structOf("access_masks", 4, at{"fs", 0, typeU32})
	for _, big := range []bool{false, true} {
		var f maskFormat
		if err := resolveBitFields(whole, big, &f); err != nil || f.Classes[access.FS] != (bitRange{0, 32}) {
			t.Errorf("big endian %v: %+v, %v", big, f, err)
		}
		if got := f.decode(0xffffffff)[access.FS]; got != 0xffffffff {
			t.Errorf("32 bits wide: %#x", got)
		}
	}
}

func TestResolveLayoutOfThisKernel(t *testing.T) {
	kernel, err := landlock.Probe("/sys")
	if err != nil {
		t.Fatal(err)
	}
	rights := kernel.Rights.Sure
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	l, f, err := resolveLayout(spec, rights[access.FS])
	if err != nil {
		t.Fatal(err)
	}
	if newer, err := resolveSigns(spec, &l); err != nil || len(newer) > 0 {
		t.Errorf("not known here: %q (%v)", newer, err)
	}
	t.Logf("Linux %s, ABI %d: %+v, %+v", kernel.Release, kernel.ABI, l, f)
	// All that may be asked for must have a place in a mask.
	for c, mask := range rights {
		if has := int(f.Classes[c].Width); has < bits.Len32(mask) {
			t.Errorf("%s: the kernel accepts %d rights, but the masks have %d bits", access.Class(c), bits.Len32(mask), has)
		}
	}
	if f.Other != 0 {
		t.Errorf("bits %#x are of a class that is not known here", f.Other)
	}
	if kernel.ABI >= 7 && l.Id == absent {
		t.Error("ABI 7, but no domain ID was found")
	}
	if rights.Empty() {
		t.Error("no rights")
	}
}

// TestResolveLayoutRefuses: type information that is not what any kernel has
// gives an error, whatever it is.
func TestResolveLayoutRefuses(t *testing.T) {
	good := func() kernelTypes {
		return kernelTypes{
			domainName: "landlock_ruleset", hierarchy: hierarchyOf(true, false), masksName: "access_masks", masks: typeU32, twoRoots: true,
		}
	}
	// change finds a structure by name and changes it.
	change := func(k kernelTypes, name string, f func(*btf.Struct)) *btf.Spec {
		spec := k.spec(t)
		s, err := structByName(spec, name)
		if err != nil {
			t.Fatal(err)
		}
		f(s)
		return spec
	}
	without := func(structure, member string) *btf.Spec {
		return change(good(), structure, func(s *btf.Struct) { removeMember(t, s, member) })
	}
	retype := func(structure, member string, typ btf.Type) *btf.Spec {
		return change(good(), structure, func(s *btf.Struct) { setType(t, s, member, typ) })
	}
	selfish := &btf.Struct{Size: 8}
	selfish.Members = []btf.Member{{Type: selfish}, {Type: selfish}}
	for _, c := range []struct {
		name string
		spec *btf.Spec
		says string
	}{
		{"empty", specOf(t, typeU32), "landlock_cred_security"},
		{"no domain", without("landlock_cred_security", "domain"), "domain"},
		{"domain is no pointer", retype("landlock_cred_security", "domain", typeU64), "does not point"},
		{"domain points to a number", retype("landlock_cred_security", "domain", &btf.Pointer{Target: typeU64}), "does not point"},
		{"domain points to nothing", retype("landlock_cred_security", "domain", typePtr), "does not point"},
		{"domain is only declared", retype("landlock_cred_security", "domain", &btf.Pointer{Target: &btf.Fwd{Name: "landlock_ruleset"}}), "does not point"},
		{"no hierarchy", without("landlock_ruleset", "hierarchy"), "hierarchy"},
		{"hierarchy is no pointer", retype("landlock_ruleset", "hierarchy", typeU64), "does not point"},
		{"no num_layers", without("landlock_ruleset", "num_layers"), "num_layers"},
		{"num_layers of 8 bytes", retype("landlock_ruleset", "num_layers", typeU64), "8 bytes"},
		{"num_layers of 2 bytes", retype("landlock_ruleset", "num_layers", typeU16), "2 bytes"},
		{"num_layers without a size", retype("landlock_ruleset", "num_layers", &btf.Void{}), "num_layers"},
		{"no masks", without("landlock_ruleset", "access_masks"), "no array"},
		{"masks are no array", retype("landlock_ruleset", "access_masks", typeU32), "not an array"},
		{"masks of 8 bytes", retype("landlock_ruleset", "access_masks", arrayOf(typeU64, 0)), "8 bytes"},
		{"masks of 1 byte", retype("landlock_ruleset", "access_masks", arrayOf(typeU8, 0)), "1 bytes"},
		{"masks without fs", retype("landlock_ruleset", "access_masks", arrayOf(accessMasks(typeU32, bitField{"net", 2}), 0)), "no member fs"},
		{"masks of unnamed fields", retype("landlock_ruleset", "access_masks", arrayOf(structOf("access_masks", 4), 0)), "no member fs"},
		{"masks beyond 32 bits", retype("landlock_ruleset", "access_masks",
			arrayOf(&btf.Struct{Name: "access_masks", Size: 4, Members: []btf.Member{{Name: "fs", Type: typeU32, Offset: 24, BitfieldSize: 16}}}, 0)), "32 bits"},
		{"no parent", without("landlock_hierarchy", "parent"), "parent"},
		{"contains itself", retype("landlock_ruleset", "", selfish), "num_layers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := resolveLayout(c.spec, fsRights(16))
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %q does not say %q", err, c.says)
			}
		})
	}
}

// TestResolveLayoutRefusesOddSizes: what the program reads at a fixed width must
// have that width, or it reads a neighbour.
func TestResolveLayoutRefusesOddSizes(t *testing.T) {
	for _, c := range []struct {
		structure, member string
		typ               btf.Type
		absent            func(layout) bool
	}{
		{"landlock_ruleset", "num_rules", typeU64, func(l layout) bool { return l.NumRules == absent }},
		{"landlock_hierarchy", "id", typeU32, func(l layout) bool { return l.Id == absent }},
		{"landlock_hierarchy", "num_denials", typeU32, func(l layout) bool { return l.Denials == absent }},
		{"landlock_details", "comm", arrayOf(typeChar, 8), func(l layout) bool { return l.Details == absent }},
		{"landlock_details", "uid", typeU64, func(l layout) bool { return l.Details == absent }},
		{"landlock_details", "pid", typeU32, func(l layout) bool { return l.Details == absent }},
		{"landlock_hierarchy", "parent", typeU32, func(layout) bool { return false }},
	} {
		t.Run(c.structure+"."+c.member, func(t *testing.T) {
			k := kernelTypes{domainName: "landlock_ruleset", hierarchy: hierarchyOf(true, false), masksName: "access_masks", masks: typeU32, twoRoots: true}
			spec := k.spec(t)
			s, err := structByName(spec, c.structure)
			if err != nil {
				t.Fatal(err)
			}
			setType(t, s, c.member, c.typ)
			l, _, err := resolveLayout(spec, fsRights(16))
			if err == nil && !c.absent(l) {
				t.Errorf("%s is now a %v, and is read as ever: %+v", c.member, c.typ, l)
			}
		})
	}
}

// TestFindInUnnamed: what is deep inside unnamed structures is found at its
// place, and a chain without end is given up.
func TestFindInUnnamed(t *testing.T) {
	inner := structOf("", 8, at{"wanted", 4, typeU32})
	outer := &btf.Struct{Name: "outer", Size: 32, Members: []btf.Member{
		{Name: "first", Type: typeU64},
		{Type: &btf.Volatile{Type: &btf.Union{Size: 8, Members: []btf.Member{{Name: "other", Type: typeU64}, {Type: inner}}}}, Offset: 8 * 8},
	}}
	if m, ok := find(outer, "wanted"); !ok || m.offset != 12 {
		t.Errorf("got %+v, %v", m, ok)
	}
	if m, ok := find(outer, ""); ok && m.name != "" {
		t.Errorf("an unnamed member was found as %+v", m)
	}
	deep := structOf("", 4, at{"wanted", 0, typeU32})
	for range 100 {
		deep = structOf("", 4, at{"", 0, deep})
	}
	if _, ok := find(deep, "wanted"); ok {
		t.Error("found 100 levels deep")
	}
}

func removeMember(t testing.TB, s *btf.Struct, name string) {
	t.Helper()
	if !editMembers(s, func(ms []btf.Member) ([]btf.Member, bool) {
		i := slices.IndexFunc(ms, func(m btf.Member) bool { return m.Name == name })
		if i < 0 {
			return ms, false
		}
		return slices.Delete(ms, i, i+1), true
	}) {
		t.Fatal(fmt.Errorf("struct %s has no member %s", s.Name, name))
	}
}

func setType(t testing.TB, s *btf.Struct, name string, typ btf.Type) {
	t.Helper()
	if !editMembers(s, func(ms []btf.Member) ([]btf.Member, bool) {
		i := slices.IndexFunc(ms, func(m btf.Member) bool { return m.Name == name })
		if i < 0 {
			return ms, false
		}
		ms[i].Type = typ
		return ms, true
	}) {
		t.Fatal(fmt.Errorf("struct %s has no member %s", s.Name, name))
	}
}

// editMembers changes the members of s, or else of what is unnamed in it.
func editMembers(s *btf.Struct, edit func([]btf.Member) ([]btf.Member, bool)) bool {
	ms, ok := edit(s.Members)
	if ok {
		s.Members = ms
		return true
	}
	for _, m := range s.Members {
		u, isUnion := m.Type.(*btf.Union)
		if !isUnion {
			continue
		}
		for _, um := range u.Members {
			if st, isStruct := um.Type.(*btf.Struct); isStruct && um.Name == "" && editMembers(st, edit) {
				return true
			}
		}
	}
	return false
}

// formatOf returns where the rights of each class are in a mask, in the order of
// the classes, and which bits are of others.
func formatOf(other uint32, classes ...bitRange) maskFormat {
	f := maskFormat{Other: other}
	copy(f.Classes[:], classes)
	return f
}
