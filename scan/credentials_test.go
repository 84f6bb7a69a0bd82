// SPDX-License-Identifier: Apache-2.0

package scan

import "testing"

// TestMayLook: one thing that differs from what allows it is enough.
func TestMayLook(t *testing.T) {
	const inner = InitUserNS + 1
	plain := func() Process {
		return Process{UID: 7, UserNS: InitUserNS, Credentials: Credentials{GID: 8, OneID: true, NoCaps: true, Dumpable: true}}
	}
	all := Credentials{GID: 0, OneID: true, SysPtrace: true, Dumpable: true}
	for name, c := range map[string]struct {
		from, at func(*Process)
		want     bool
	}{
		"the same credentials":       {want: true},
		"the caller's own dumpable":  {from: func(p *Process) { p.Credentials.Dumpable = false }, want: true},
		"the caller's capabilities":  {from: func(p *Process) { p.Credentials.NoCaps = false }, want: true},
		"another user":               {at: func(p *Process) { p.UID = 9 }},
		"another group":              {at: func(p *Process) { p.Credentials.GID = 9 }},
		"several IDs":                {at: func(p *Process) { p.Credentials.OneID = false }},
		"several IDs of the caller":  {from: func(p *Process) { p.Credentials.OneID = false }},
		"not dumpable":               {at: func(p *Process) { p.Credentials.Dumpable = false }},
		"a capability":               {at: func(p *Process) { p.Credentials.NoCaps = false }},
		"nothing known":              {at: func(p *Process) { p.Credentials = Credentials{} }},
		"nothing known of namespace": {from: func(p *Process) { p.UserNS = 0 }, at: func(p *Process) { p.UserNS = 0 }},
		"a user namespace":           {at: func(p *Process) { p.UserNS = inner }},
		"out of a user namespace":    {from: func(p *Process) { p.UserNS = inner }},
		"his own user namespace": {at: func(p *Process) {
			p.UserNS, p.UID, p.Credentials.Owner, p.Credentials.NoCaps = inner, 100000, 7, false
		}, want: true},
		"another's user namespace": {at: func(p *Process) { p.UserNS, p.Credentials.Owner = inner, 9 }},
		"his own user namespace, not dumpable": {at: func(p *Process) {
			p.UserNS, p.Credentials.Owner, p.Credentials.Dumpable = inner, 7, false
		}},
		"from another user namespace into his own": {
			from: func(p *Process) { p.UserNS = inner },
			at:   func(p *Process) { p.UserNS, p.Credentials.Owner = inner+1, 7 },
		},
		"no owner is not root": {
			from: func(p *Process) { p.UID = 0 }, at: func(p *Process) { p.UserNS, p.UID = inner, 0 },
		},
		"inside a user namespace": {
			from: func(p *Process) { p.UserNS = inner }, at: func(p *Process) { p.UserNS = inner }, want: true,
		},
		"root of a user namespace": {
			from: func(p *Process) { p.UserNS, p.Credentials = inner, all },
			at:   func(p *Process) { p.UserNS, p.UID, p.Credentials.NoCaps = inner, 9, false }, want: true,
		},
		"root of a user namespace, not dumpable": {
			from: func(p *Process) { p.UserNS, p.Credentials = inner, all },
			at:   func(p *Process) { p.UserNS, p.Credentials.Dumpable = inner, false },
		},
		"root of a user namespace, out of it": {from: func(p *Process) { p.UserNS, p.Credentials = inner, all }},
		"root": {
			from: func(p *Process) { p.Credentials = all },
			at:   func(p *Process) { p.UserNS, p.Credentials = inner, Credentials{} }, want: true,
		},
	} {
		from, at := plain(), plain()
		if c.from != nil {
			c.from(&from)
		}
		if c.at != nil {
			c.at(&at)
		}
		if got := from.MayLook(&at); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
