// SPDX-License-Identifier: Apache-2.0

package taskiter

import "encoding/binary"

// Bounds of bpf/record.h: RULE_LAYERS, RULES_MAX. netRights is the number of
// rights to ports that are counted.
const (
	ruleLayers = 16
	rulesMax   = 1024
	netRights  = 8
)

// RULES_DONE, RULE_PORT and RULE_FS_ROOT of bpf/record.h.
const (
	rulesDone = 1 << 0

	rulePort   = 1 << 0
	ruleFSRoot = 1 << 1
)

// The trees of a domain's rules (TREE_*), in the order in which they are read.
const (
	treePorts = iota
	treeInodes
)

// rulesRecord is some rules of one task's domain, its parents' included, in the
// order of their keys.
type rulesRecord struct {
	task   taskKey
	domain uint64 // key
	// The rule that follows is in tree, with a key of at least next; done: there is none.
	next      uint64
	tree      uint32
	done      bool
	numLayers uint32
	// rules are the entries as they came, sizeRule bytes each: they are valid
	// until the sink returns.
	rules []byte
}

// ruleEntry is what one rule grants in one layer. The rights are as stored:
// those that the layer does not handle are among them.
type ruleEntry struct {
	object uint64 // port, or number of the inode; 0 if that is gone
	dev    uint32
	access uint32
	bits   uint32
	level  uint32 // of the layer, from 1
}

func (r *rulesRecord) entries() int { return len(r.rules) / sizeRule }

func (r *rulesRecord) entry(i int) ruleEntry {
	ne, b := binary.NativeEndian, r.rules[i*sizeRule:]
	return ruleEntry{
		object: ne.Uint64(b), dev: ne.Uint32(b[8:]), access: ne.Uint32(b[12:]),
		bits: ne.Uint32(b[16:]), level: ne.Uint32(b[20:]),
	}
}

// parseRules decodes a record of kindRules, which is long enough.
func parseRules(b []byte) *rulesRecord {
	ne := binary.NativeEndian
	return &rulesRecord{
		task:   taskKey{tid: int32(ne.Uint32(b[4:])), start: ne.Uint64(b[8:]), exec: ne.Uint64(b[16:])},
		domain: ne.Uint64(b[24:]), next: ne.Uint64(b[32:]), tree: ne.Uint32(b[40:]),
		done: ne.Uint32(b[44:])&rulesDone != 0, numLayers: ne.Uint32(b[48:]), rules: b[sizeRules:],
	}
}
