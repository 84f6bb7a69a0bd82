// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// rulesLayout is the same for a domain's rules.
type rulesLayout = objectRuleLayout

// resolveRules finds how the kernel stores the rules of a domain: one tree of
// rules on inodes ("root", until Linux 6.6), and one on ports beside it (6.7);
// from 7.3 on both in a structure of their own.
func resolveRules(spec *btf.Spec) (rulesLayout, error) {
	r := &resolver{spec: spec}
	l := rulesLayout{Ports: absent}
	domain, _ := r.domain()
	inodes, ok := findRules(domain, "root_inode")
	if ports, both := findRules(domain, "root_net_port"); both {
		l.Ports = ports.offset
	}
	if !ok {
		if inodes, ok = find(domain, "root"); !ok {
			r.fail(fmt.Errorf("struct %s has no tree of rules", domain.Name))
		}
	}
	l.Inodes = inodes.offset

	rule := r.structure("landlock_rule")
	l.Node = r.need(rule, "node").offset
	key := "key"
	if _, ok := find(rule, key); !ok {
		key = "object" // until Linux 6.6
	}
	l.Key = r.sized(rule, key, bytesOfPointer)
	l.NumLayers = r.sized(rule, "num_layers", 4)
	resolveLayers(r, rule, &l)
	l.Inode = r.need(r.structure("landlock_object"), "underobj").offset
	return l, r.err
}

// resolveLayers finds what a rule grants in each layer.
func resolveLayers(r *resolver, rule *btf.Struct, l *rulesLayout) {
	layers := r.need(rule, "layers")
	l.Layers = layers.offset
	layer, ok := btf.As[*btf.Struct](r.elements(layers))
	if !ok {
		r.fail(fmt.Errorf("%s.layers is not an array of structures", rule.Name))
		return
	}
	l.LayerSize = layer.Size
	for _, m := range []struct {
		name         string
		offset, size *uint32
	}{{"level", &l.Level, &l.LevelSize}, {"access", &l.Access, &l.AccessSize}} {
		found := r.need(layer, m.name)
		size, err := btf.Sizeof(found.typ)
		if err != nil || size != 1 && size != 2 && size != 4 {
			r.fail(fmt.Errorf("%s.%s has %d bytes, expected 1, 2 or 4", layer.Name, m.name, size))
		}
		*m.offset, *m.size = found.offset, uint32(size)
	}
}

// findRules looks up a member of a domain that belongs to its rules: in the
// domain itself, or from Linux 7.3 on in its member rules.
func findRules(domain *btf.Struct, name string) (member, bool) {
	if m, ok := find(domain, name); ok {
		return m, true
	}
	rules, _ := find(domain, "rules")
	s, ok := btf.As[*btf.Struct](rules.typ)
	if !ok {
		return member{}, false
	}
	m, ok := find(s, name)
	m.offset += rules.offset
	return m, ok
}
