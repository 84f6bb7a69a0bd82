// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"testing"

	"github.com/cilium/ebpf/btf"
)

// ruleTypes lays out what rules are stored in.
type ruleTypes struct {
	domain string
	// trees are the roots' names; nested puts them in a member of their own.
	trees  []string
	nested bool
	key    string
	level  btf.Type
	access btf.Type
	// layers replaces the member of that name.
	layers btf.Type
	// without leaves a structure or a member out.
	without string
}

func (k ruleTypes) spec(t testing.TB) *btf.Spec {
	t.Helper()
	pointer := &btf.Pointer{Target: &btf.Void{}}
	keep := func(members ...at) []at {
		var left []at
		for _, m := range members {
			if m.name != k.without {
				left = append(left, m)
			}
		}
		return left
	}
	root := structOf("rb_root", 8, at{"rb_node", 0, pointer})
	var trees []at
	off := uint32(0)
	for _, name := range k.trees {
		trees = append(trees, at{name, off, root})
		off += 8
	}
	trees = keep(trees...)
	if k.nested {
		trees = []at{{"rules", 16, structOf("landlock_rules", 24, trees...)}}
	}
	domain := structOf(k.domain, 64, trees...)
	cred := structOf("landlock_cred_security", 8, keep(at{"domain", 0, &btf.Pointer{Target: domain}})...)
	size := uint32(4)
	accessSize, _ := btf.Sizeof(k.access)
	if accessSize > 2 {
		size = 8
	}
	layer := structOf("landlock_layer", size, keep(at{"level", 0, k.level}, at{"access", size / 2, k.access})...)
	layers := k.layers
	if layers == nil {
		layers = arrayOf(layer, 0)
	}
	rule := structOf("landlock_rule", 40, keep(at{"node", 0, structOf("rb_node", 24, at{"rb_right", 8, pointer})},
		at{k.key, 24, pointer}, at{"num_layers", 32, typeU32}, at{"layers", 36, layers})...)
	object := structOf("landlock_object", 32, keep(at{"usage", 0, typeU32}, at{"underobj", 8, pointer})...)
	var types []btf.Type
	for _, s := range []*btf.Struct{cred, rule, object} {
		if s.Name != k.without {
			types = append(types, s)
		}
	}
	return specOf(t, types...)
}

// The layouts as they were found in Debian's kernels.
func rulesOf61() ruleTypes {
	return ruleTypes{domain: "landlock_ruleset", trees: []string{"root"}, key: "object", level: typeU16, access: typeU16}
}

func rulesOf73() ruleTypes {
	return ruleTypes{
		domain: "landlock_domain", trees: []string{"root_inode", "root_net_port"}, nested: true,
		key: "key", level: typeU8, access: typeU32,
	}
}

func TestResolveRules(t *testing.T) {
	of612 := rulesOf61()
	of612.trees, of612.key = []string{"root_inode", "root_net_port"}, "key"
	of71 := of612
	of71.access = typeU32
	for _, c := range []struct {
		name  string
		types ruleTypes
		want  rulesLayout
	}{
		{"6.1", rulesOf61(), rulesLayout{Inodes: 0, Ports: absent, Key: 24, NumLayers: 32, Layers: 36, LayerSize: 4, LevelSize: 2, Access: 2, AccessSize: 2, Inode: 8}},
		{"6.12", of612, rulesLayout{Inodes: 0, Ports: 8, Key: 24, NumLayers: 32, Layers: 36, LayerSize: 4, LevelSize: 2, Access: 2, AccessSize: 2, Inode: 8}},
		{"7.1", of71, rulesLayout{Inodes: 0, Ports: 8, Key: 24, NumLayers: 32, Layers: 36, LayerSize: 8, LevelSize: 2, Access: 4, AccessSize: 4, Inode: 8}},
		{"7.3", rulesOf73(), rulesLayout{Inodes: 16, Ports: 24, Key: 24, NumLayers: 32, Layers: 36, LayerSize: 8, LevelSize: 1, Access: 4, AccessSize: 4, Inode: 8}},
	} {
		got, err := resolveRules(c.types.spec(t))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}

func TestResolveRulesRefuses(t *testing.T) {
	for _, base := range []ruleTypes{rulesOf61(), rulesOf73()} {
		for _, without := range []string{
			"landlock_cred_security", "domain", base.trees[0], "landlock_rule", "node", base.key, "num_layers", "layers", "level", "access",
			"landlock_object", "underobj",
		} {
			k := base
			k.without = without
			if l, err := resolveRules(k.spec(t)); err == nil {
				t.Errorf("%s without %s: %+v", k.domain, without, l)
			}
		}
		for name, change := range map[string]func(*ruleTypes){
			"level of 8 bytes": func(k *ruleTypes) { k.level = typeU64 },
			"access of 8 bytes": func(k *ruleTypes) {
				k.access = typeU64
			},
			"layers no array":      func(k *ruleTypes) { k.layers = typeU32 },
			"layers of no structs": func(k *ruleTypes) { k.layers = arrayOf(typeU32, 0) },
		} {
			k := base
			change(&k)
			if l, err := resolveRules(k.spec(t)); err == nil {
				t.Errorf("%s, %s: %+v", k.domain, name, l)
			}
		}
	}
}
