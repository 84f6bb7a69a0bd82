// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"strings"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// outOfReach reports whether Landlock keeps those tasks that are in a domain from all assets
// that are asked for. Of workers another requirement asks.
func (x *Expect) outOfReach(c *condition, d *demand) access.Answer {
	all := access.Yes
	for _, asset := range d.assets {
		all = all.And(c.keptFrom(asset))
	}
	return all
}

// keptFrom reports whether Landlock keeps them from an asset. From what a host does not have
// they need not be kept.
func (c *condition) keptFrom(asset int) access.Answer {
	if asset < 0 {
		return access.Unknown
	}
	switch reach, _ := c.sandbox.Reach.Of(asset); reach {
	case domainid.WithinReach:
		return access.No
	case domainid.ReachUnknown:
		return access.Unknown
	default:
		return access.Yes
	}
}

func (x *Expect) reachWords(c *condition, d *demand, answer access.Answer) string {
	var lacked, byKernel, unasked, doubtful []string
	for i, asset := range d.assets {
		name := x.OutOfReach[i].Name
		switch kept := c.keptFrom(asset); {
		case kept == access.No:
			if _, kernel := c.sandbox.Reach.Of(asset); kernel {
				byKernel = append(byKernel, name)
			} else {
				lacked = append(lacked, name)
			}
		case asset < 0:
			unasked = append(unasked, name)
		case kept == access.Unknown:
			doubtful = append(doubtful, name)
		}
	}
	var parts []string
	add := func(names []string, before, after string) {
		if len(names) > 0 {
			parts = append(parts, before+strings.Join(names, ", ")+after)
		}
	}
	if answer == access.No {
		add(lacked, "Landlock does not keep it from ", "")
		add(byKernel, "no sandbox on this kernel keeps it from ", "")
	} else {
		add(doubtful, "it is not known whether Landlock keeps it from ",
			": "+strings.Join(c.sandbox.Reach.Doubt.Sentences(), ", "))
		add(unasked, "it was not looked at whether Landlock keeps it from ", "")
	}
	return strings.Join(parts, "; ")
}
