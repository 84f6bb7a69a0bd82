// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"encoding/binary"
)

// Bounds of bpf/record.h: RULE_LAYERS, RULES_MAX, NET_RIGHTS.
const (
	ruleLayers = 16
	rulesMax   = 1024
	netRights  = 8
)

// RULES_UNFINISHED, RULE_PORT and RULE_FS_ROOT of bpf/record.h.
const (
	rulesUnfinished = 1 << 0

	rulePort   = 1 << 0
	ruleFSRoot = 1 << 1
)

// rulesRecord is what the rules of one task's domain come to, its parents'
// included.
type rulesRecord struct {
	task      taskKey
	root      uint64 // as in the task's record
	bits      uint32
	numLayers uint32
	layers    [ruleLayers]layerEntry // the outermost first
	// rules are the entries as they came, sizeRule bytes each: they are valid
	// until the sink returns.
	rules []byte
}

// layerEntry is what the rules of one layer come to.
type layerEntry struct {
	key        uint64 // of the domain whose own layer it is
	inodes     uint32 // number of rules
	ports      uint32
	everywhere uint32
	// granted is the number of ports, without port 0, on which each right is
	// granted.
	granted [netRights]uint32
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
	r := &rulesRecord{
		task: taskKey{tid: int32(ne.Uint32(b[4:])), start: ne.Uint64(b[8:]), exec: ne.Uint64(b[16:])},
		root: ne.Uint64(b[24:]), bits: ne.Uint32(b[32:]), numLayers: ne.Uint32(b[36:]),
		rules: b[sizeRules:],
	}
	for i := range r.layers {
		l := b[48+i*sizeLayer:]
		e := &r.layers[i]
		e.key, e.inodes, e.ports, e.everywhere = ne.Uint64(l), ne.Uint32(l[8:]), ne.Uint32(l[12:]), ne.Uint32(l[16:])
		for j := range e.granted {
			e.granted[j] = ne.Uint32(l[24+4*j:])
		}
	}
	return r
}
