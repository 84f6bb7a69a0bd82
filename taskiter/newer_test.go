// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	explained "github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/scan"
)

// TestResolveSigns: where domains have what came later, as it was proposed and otherwise.
func TestResolveSigns(t *testing.T) {
	if bigEndian {
		t.Skip("the bit fields here are those of a little-endian compiler")
	}
	supervisor := &btf.Pointer{Target: structOf("landlock_supervisor", 8, at{"lock", 0, typeU64})}
	bit := func(name string, at btf.Bits) btf.Member {
		return btf.Member{Name: name, Type: typeU32, Offset: at, BitfieldSize: 1}
	}
	logs := []btf.Member{bit("log_same_exec", 40*8), bit("log_new_exec", 40*8+1)}
	for name, c := range map[string]struct {
		members []btf.Member
		newer   string
		want    map[uint32]uint32
	}{
		"until 7.3":    {logs, "", nil},
		"a supervisor": {append(logs, btf.Member{Name: "supervisor", Type: supervisor, Offset: 48 * 8}), "supervisor", map[uint32]uint32{48: ^uint32(0), 52: ^uint32(0)}},
		"a bit":        {append(logs, bit("permissive", 40*8+2)), "permissive", map[uint32]uint32{40: 4}},
		"a byte":       {[]btf.Member{{Name: "mode", Type: typeU8, Offset: 41 * 8}}, "mode", map[uint32]uint32{40: 0xff00}},
		"a count":      {[]btf.Member{{Name: "num_audited", Type: typeU64, Offset: 48 * 8}}, "num_audited", nil},
		"a list":       {[]btf.Member{{Name: "domains", Type: structOf("list_head", 16, at{"next", 0, typePtr}), Offset: 48 * 8}}, "domains", nil},
	} {
		h := hierarchyOf(true, true)
		h.Size, h.Members = 64, append(h.Members, c.members...)
		types := kernelTypes{domainName: "landlock_domain", hierarchy: h, masksName: "handled_masks", twoRoots: true,
			masks: accessMasks(typeU32, bitField{"fs", 17}, bitField{"net", 4})}
		var l layout
		newer, err := resolveSigns(types.spec(t), &l)
		got := map[uint32]uint32{}
		for i := range l.SignAt {
			if l.Signs>>i&1 != 0 {
				got[l.SignAt[i]] = l.SignBits[i]
			}
		}
		if err != nil || strings.Join(newer, " ") != strings.TrimSuffix("landlock_hierarchy."+c.newer, "landlock_hierarchy.") || !maps.Equal(got, c.want) {
			t.Errorf("%s: %q, %#x (%v)", name, newer, got, err)
		}
	}
	h := hierarchyOf(false, false)
	for i := range uint32(20) {
		h.Members = append(h.Members, btf.Member{Name: "m", Type: typeU32, Offset: btf.Bits(16+4*i) * 8})
	}
	h.Size = 96
	types := kernelTypes{domainName: "landlock_ruleset", hierarchy: h, masksName: "access_masks", masks: typeU32}
	if _, err := resolveSigns(types.spec(t), &layout{}); err == nil {
		t.Error("twenty members more are accepted")
	}
}

// TestResolveProposedClass: rights to use capabilities and namespaces, as they were proposed:
// what a layer handles stands in a structure then, beside what it grants of them.
func TestResolveProposedClass(t *testing.T) {
	if bigEndian {
		t.Skip("the bit fields here are those of a little-endian compiler")
	}
	masks := accessMasks(typeU32, bitField{"fs", 17}, bitField{"net", 4}, bitField{"scope", 2}, bitField{"perm", 2})
	types := kernelTypes{domainName: "landlock_domain", hierarchy: hierarchyOf(true, true), twoRoots: true, masksName: "layers",
		masks: structOf("layer_config", 16, at{"allowed", 0, typeU64}, at{"handled", 8, masks})}
	l, f, err := resolveLayout(types.spec(t), fsRights(17))
	if err != nil || l.MaskStep != 16 || l.MaskSize != 4 || f.Other != 3<<23 {
		t.Errorf("%+v, %+v (%v)", l, f, err)
	}
	without := types
	without.masks = structOf("layer_config", 16, at{"allowed", 0, typeU64}, at{"denied", 8, masks})
	if _, _, err := resolveLayout(without.spec(t), fsRights(17)); err == nil {
		t.Error("layers of another form are accepted")
	}
	newer, err := resolveSigns(types.spec(t), &l)
	if err != nil || !slices.Equal(newer, []string{"access_masks.perm"}) || l.Signs != 0 {
		t.Errorf("%q, %+v (%v)", newer, l, err)
	}
}

// newerSource opens a source to which something that this kernel keeps of domains is new.
func newerSource(t *testing.T, structure, member, name string) *Source {
	t.Helper()
	needPrivileges(t)
	kernel, err := landlock.Probe("/sys")
	if err != nil {
		t.Fatal(err)
	}
	if kernel.ABI < 7 {
		t.Skip("this kernel keeps nothing of domains that can stand for what is newer: Linux 6.15")
	}
	cache := btf.NewCache()
	types, err := cache.Kernel()
	if err != nil {
		t.Fatal(err)
	}
	s, err := structByName(types, structure)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(s.Members, func(m btf.Member) bool { return m.Name == member })
	if i < 0 {
		t.Fatalf("struct %s has no member %s", structure, member)
	}
	if s.Members[i].Name = name; member == "scope" {
		kernel.Rights.Sure[access.Scope], kernel.Rights.May[access.Scope] = 0, 0
	}
	o := opener{types: types, cache: cache, kernel: kernel, ruleTime: time.Minute, cgroupFS: "/sys/fs/cgroup"}
	source, err := o.open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}

// secretFile is a file as two assets: to read, and to write.
type secretFile struct{ opened }

func (secretFile) Assets() []domainid.Asset {
	return []domainid.Asset{{Name: "read", Paths: []string{"/"}, Read: true}, {Name: "write", Paths: []string{"/"}, Write: true}}
}

// concludes demands what is concluded of a process that may read files below a directory
// only: of its sandbox, by rules, and of assets.
func concludes(t *testing.T, s *Source, pid int32, known bool, write domainid.Reach, says string) {
	t.Helper()
	snap, p := scanSettled(t, s, pid)
	sandbox, _ := snap.SandboxOf(p)
	result, reach, effective := policy.Compliant, domainid.OutOfReach, access.Yes
	if !known {
		result, reach, effective = policy.Unknown, domainid.ReachUnknown, access.Unknown
	}
	if p.State != scan.Sandboxed || p.Depth != 1 || sandbox.Effective() != effective {
		t.Errorf("%s, depth %d, effective: %v", p.State, p.Depth, sandbox.Effective())
	}
	for _, text := range []string{"restricts=fs.read_file", "out_of_reach=read"} {
		expect, err := policy.ParseExpect(text, snap.Assets...)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, words := expect.Judge(snap, p); got != result {
			t.Errorf("%s: %s (%s), want %s", text, got, words, result)
		}
	}
	for i, want := range []domainid.Reach{reach, write} {
		if got, _ := sandbox.Reach.Of(i); got != want {
			t.Errorf("%s: %s, want %s", snap.Assets[i].Name, got, want)
		}
	}
	var text bytes.Buffer
	if err := explained.Of(snap, p).Text(&text, true, 1000); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), says) {
		t.Errorf("explain says nothing of %q:\n%s", says, &text)
	}
}

const strange = "what it denies is not known"

// newGround makes a directory that sandboxes grant, and a file elsewhere.
func newGround(t *testing.T) (granted string, secret *secretFile) {
	dir := t.TempDir()
	granted = filepath.Join(dir, "granted")
	file := filepath.Join(dir, "secret")
	if err := os.Mkdir(granted, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return granted, &secretFile{opened{t: t, paths: []string{file, file}}}
}

// TestNewerKinds: of a domain that the kernel marks as nobody here knows, as one that denies
// nothing, or that has rules elsewhere, it is not known what it denies, and all else is known.
// A mark that this kernel gives to few domains stands for it.
func TestNewerKinds(t *testing.T) {
	s := newerSource(t, "landlock_hierarchy", "log_new_exec", "permissive")
	granted, secret := newGround(t)
	s.Resolve(secret)
	if !slices.Equal(s.Newer(), []string{"landlock_hierarchy.permissive"}) || s.state.Layout.Signs == 0 {
		t.Errorf("newer: %q, signs %#x", s.Newer(), s.state.Layout.Signs)
	}
	permissive := startActor(t, "rooted", "open", granted, "logged", "restrict")
	plain := startActor(t, "rooted", "open", granted, "restrict")
	concludes(t, s, permissive.pid, false, domainid.ReachUnknown, strange)
	concludes(t, s, plain.pid, true, domainid.WithinReach, "handles 3 rights")
}

// TestNewerMembers: what is set of every domain is a sign of nothing, and is mentioned.
func TestNewerMembers(t *testing.T) {
	s := newerSource(t, "landlock_hierarchy", "details", "supervisor")
	granted, secret := newGround(t)
	s.Resolve(secret)
	if !slices.Equal(s.Newer(), []string{"landlock_hierarchy.supervisor"}) || s.state.Layout.Signs != 0 {
		t.Errorf("newer: %q, signs %#x", s.Newer(), s.state.Layout.Signs)
	}
	plain := startActor(t, "rooted", "open", granted, "restrict")
	concludes(t, s, plain.pid, true, domainid.WithinReach, "handles 3 rights")
}

// TestNewerClass: a layer that handles rights of an unknown class keeps a process from what
// the others do, and perhaps from more.
func TestNewerClass(t *testing.T) {
	s := newerSource(t, "access_masks", "scope", "perm")
	granted, secret := newGround(t)
	s.Resolve(secret)
	if !slices.Equal(s.Newer(), []string{"access_masks.perm"}) {
		t.Errorf("newer: %q", s.Newer())
	}
	newer := startActor(t, "rooted", "open", granted, "scoped", "restrict")
	concludes(t, s, newer.pid, true, domainid.ReachUnknown, "a layer handles rights that are newer")
	plain := startActor(t, "rooted", "open", granted, "restrict")
	concludes(t, s, plain.pid, true, domainid.WithinReach, "handles 3 rights")
}

// TestRulesChange: of a domain that no longer has as many rules as when they were read it is
// not known what it denies, whatever it has later, and of those nested in it neither.
func TestRulesChange(t *testing.T) {
	s := openSource(t, Options{})
	granted, secret := newGround(t)
	s.Resolve(secret)
	changed := startActor(t, "rooted", "open", granted, "restrict")
	plain := startActor(t, "rooted", "open", granted, "restrict")
	concludes(t, s, changed.pid, true, domainid.WithinReach, "handles 3 rights")
	snap, p := scanSettled(t, s, changed.pid)
	l := s.rulebook.layers[snap.Domains[snap.TasksOf(p)[0].Domain].ID]
	l.count++    // no kernel lets rules change until now: it had others before
	s.last = nil // with other records
	concludes(t, s, changed.pid, false, domainid.ReachUnknown, strange)
	l.count--
	s.last = nil
	concludes(t, s, changed.pid, false, domainid.ReachUnknown, strange)
	concludes(t, s, plain.pid, true, domainid.WithinReach, "handles 3 rights")
}
