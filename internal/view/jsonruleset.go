// SPDX-License-Identifier: Apache-2.0

package view

import (
	"fmt"

	"golang.org/x/sys/unix"

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
	Dev    string `json:"dev"`
	Ino    uint64 `json:"ino,string"`
	FS     mask   `json:"fs"`
	FSRoot bool   `json:"filesystem_root"`
}

// DeviceText writes a device as /proc/[pid]/mountinfo does, "8:1".
func DeviceText(dev uint64) string { return fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev)) }

func newRulesetJSON(r *domainid.Ruleset) rulesetJSON {
	j := rulesetJSON{
		Rules: r.Rules, EveryPort: mask(r.EveryPort), PortsLeftOut: r.PortsLeftOut, InodesLeftOut: r.InodesLeftOut,
		Ports: make([]portRuleJSON, len(r.Ports)), Inodes: make([]inodeRuleJSON, len(r.Inodes)),
	}
	for i, p := range r.Ports {
		j.Ports[i] = portRuleJSON{p.Port, mask(p.Net)}
	}
	for i, n := range r.Inodes {
		j.Inodes[i] = inodeRuleJSON{DeviceText(n.Dev), n.Ino, mask(n.FS), n.FSRoot}
	}
	return j
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

func (e *encoder) rulesets(x *rulesetIndex) {
	e.list("rulesets", func(yield func(any) bool) {
		for _, r := range x.all {
			if !yield(newRulesetJSON(r)) {
				return
			}
		}
	})
}
