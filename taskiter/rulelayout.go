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
	l := rulesLayout{Ports: absent}
	cred, err := structByName(spec, "landlock_cred_security")
	if err != nil {
		return l, err
	}
	ptr, err := need(cred, "domain")
	if err != nil {
		return l, err
	}
	domain, err := pointee(ptr, cred)
	if err != nil {
		return l, err
	}
	inodes, ok := findRules(domain, "root_inode")
	if ports, both := findRules(domain, "root_net_port"); both {
		l.Ports = ports.offset
	}
	if !ok {
		if inodes, ok = find(domain, "root"); !ok {
			return l, fmt.Errorf("struct %s has no tree of rules", domain.Name)
		}
	}
	l.Inodes = inodes.offset

	rule, err := structByName(spec, "landlock_rule")
	if err != nil {
		return l, err
	}
	if l.Node, err = offsetOf(rule, "node"); err != nil {
		return l, err
	}
	key, ok := find(rule, "key")
	if !ok {
		if key, err = need(rule, "object"); err != nil { // until Linux 6.6
			return l, err
		}
	}
	if !hasSize(key, bytesOfPointer) {
		return l, fmt.Errorf("%s.%s does not have %d bytes", rule.Name, key.name, bytesOfPointer)
	}
	l.Key = key.offset
	n, err := need(rule, "num_layers")
	if err != nil {
		return l, err
	}
	if !hasSize(n, 4) {
		return l, fmt.Errorf("%s.num_layers does not have 4 bytes", rule.Name)
	}
	l.NumLayers = n.offset
	if err := resolveLayers(rule, &l); err != nil {
		return l, err
	}
	object, err := structByName(spec, "landlock_object")
	if err != nil {
		return l, err
	}
	l.Inode, err = offsetOf(object, "underobj")
	return l, err
}

// resolveLayers finds what a rule grants in each layer.
func resolveLayers(rule *btf.Struct, l *rulesLayout) error {
	layers, err := need(rule, "layers")
	if err != nil {
		return err
	}
	l.Layers = layers.offset
	array, ok := btf.As[*btf.Array](layers.typ)
	if !ok {
		return fmt.Errorf("%s.layers is not an array", rule.Name)
	}
	layer, ok := btf.As[*btf.Struct](array.Type)
	if !ok {
		return fmt.Errorf("%s.layers is not an array of structures", rule.Name)
	}
	l.LayerSize = layer.Size
	for _, m := range []struct {
		name         string
		offset, size *uint32
	}{{"level", &l.Level, &l.LevelSize}, {"access", &l.Access, &l.AccessSize}} {
		found, err := need(layer, m.name)
		if err != nil {
			return err
		}
		size, err := btf.Sizeof(found.typ)
		if err != nil || size != 1 && size != 2 && size != 4 {
			return fmt.Errorf("%s.%s has %d bytes, expected 1, 2 or 4", layer.Name, m.name, size)
		}
		*m.offset, *m.size = found.offset, uint32(size)
	}
	return nil
}

// findRules looks up a member of a domain that belongs to its rules: in the
// domain itself, or from Linux 7.3 on in its member rules.
func findRules(domain *btf.Struct, name string) (member, bool) {
	if m, ok := find(domain, name); ok {
		return m, true
	}
	rules, ok := find(domain, "rules")
	if !ok {
		return member{}, false
	}
	s, ok := btf.As[*btf.Struct](rules.typ)
	if !ok {
		return member{}, false
	}
	m, ok := find(s, name)
	m.offset += rules.offset
	return m, ok
}

func offsetOf(s *btf.Struct, name string) (uint32, error) {
	m, err := need(s, name)
	return m.offset, err
}
