// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"errors"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// rulesetJSON is what the rules of a layer grant.
type rulesetJSON struct {
	Rules         uint32          `json:"rules"`
	EveryPort     mask            `json:"every_port"`
	Ports         []portRuleJSON  `json:"ports"`
	Inodes        []inodeRuleJSON `json:"inodes"`
	PortsLeftOut  uint32          `json:"ports_left_out"`
	InodesLeftOut uint32          `json:"inodes_left_out"`
}

type portRuleJSON struct {
	Port uint16 `json:"port"`
	Net  mask   `json:"net"`
}

type inodeRuleJSON struct {
	Dev    device `json:"dev"`
	Ino    uint64 `json:"ino,string"`
	FS     mask   `json:"fs"`
	FSRoot bool   `json:"filesystem_root"`
}

func newRulesetJSON(r *domainid.Ruleset) *rulesetJSON {
	j := &rulesetJSON{
		Rules: r.Rules, EveryPort: mask(r.EveryPort),
		PortsLeftOut: r.PortsLeftOut, InodesLeftOut: r.InodesLeftOut,
		Ports: make([]portRuleJSON, len(r.Ports)), Inodes: make([]inodeRuleJSON, len(r.Inodes)),
	}
	for i, p := range r.Ports {
		j.Ports[i] = portRuleJSON{p.Port, mask(p.Net)}
	}
	for i, n := range r.Inodes {
		j.Inodes[i] = inodeRuleJSON{device(n.Dev), n.Ino, mask(n.FS), n.FSRoot}
	}
	return j
}

func (r *reader) ruleset(j *rulesetJSON) error {
	rs := &domainid.Ruleset{
		Rules: j.Rules, EveryPort: uint32(j.EveryPort),
		PortsLeftOut: j.PortsLeftOut, InodesLeftOut: j.InodesLeftOut,
	}
	for i, p := range j.Ports {
		if i > 0 && j.Ports[i-1].Port > p.Port {
			return within("ports", errors.New("a port does not ascend"))
		}
		rs.Ports = append(rs.Ports, domainid.PortRule{Port: p.Port, Net: uint32(p.Net)})
	}
	for _, n := range j.Inodes {
		rs.Inodes = append(rs.Inodes, domainid.InodeRule{Dev: uint64(n.Dev), Ino: n.Ino,
			FS: uint32(n.FS), FSRoot: n.FSRoot})
	}
	r.rulesets = append(r.rulesets, rs)
	return r.count(1 + len(rs.Ports) + len(rs.Inodes))
}

// count counts what is kept of rules.
func (r *reader) count(n int) error {
	if r.rules += n; r.rules > maxRules {
		return errors.New("too many rules")
	}
	return nil
}

// rulesetIndex numbers the rulesets of a snapshot in the order of its domains.
// Many domains can share one: each is written once.
type rulesetIndex struct {
	all []*domainid.Ruleset
	of  map[*domainid.Ruleset]int32
}

func newRulesetIndex(s *scan.Snapshot, forest *domainid.Forest) *rulesetIndex {
	x := &rulesetIndex{of: map[*domainid.Ruleset]int32{}}
	for d := range forest.WalkDomains() {
		x.add(s.Domains[d].Ruleset)
	}
	return x
}

func (x *rulesetIndex) add(r *domainid.Ruleset) {
	if _, found := x.of[r]; r != nil && !found {
		x.of[r] = int32(len(x.all))
		x.all = append(x.all, r)
	}
}

func (x *rulesetIndex) find(r *domainid.Ruleset) *int32 {
	i, found := x.of[r]
	if !found {
		return nil
	}
	return &i
}
