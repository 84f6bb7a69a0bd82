// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
)

// The kernel has a right that a live domain handles, whatever it reported of it.
func TestRightsOfDomains(t *testing.T) {
	connect, signal := access.Net.Rights(2), access.Scope.Rights(2)
	rare := access.FS.Rights(1 << 30)
	for _, c := range []struct {
		name    string
		kernel  access.Bounds
		handled []access.Rights
		want    access.Bounds
	}{
		{"no domain", access.Bounds{May: connect}, nil, access.Bounds{May: connect}},
		{"unknown, and handled", access.Bounds{Sure: signal, May: signal.Union(connect)},
			[]access.Rights{connect}, access.Exactly(signal.Union(connect))},
		{"denied, and handled", access.Exactly(signal),
			[]access.Rights{connect, rare}, access.Exactly(signal.Union(connect).Union(rare))},
	} {
		s := Snapshot{Kernel: Kernel{Landlock: Enabled, ABI: 6, Rights: c.kernel}}
		for _, r := range c.handled {
			s.Domains = append(s.Domains, domainid.Domain{Parent: domainid.Outermost, Depth: 1, Handled: r})
		}
		s.Conclude()
		if s.Kernel.Rights != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, s.Kernel.Rights, c.want)
		}
	}
}

func TestFixed(t *testing.T) {
	for _, c := range []struct {
		kernel Kernel
		want   [3]access.Answer // of errata 1 to 3
	}{
		{Kernel{}, [3]access.Answer{access.Unknown, access.Unknown, access.Unknown}},
		{Kernel{ErrataKnown: true}, [3]access.Answer{access.No, access.No, access.No}},
		{Kernel{ErrataKnown: true, Errata: 0b101}, [3]access.Answer{access.Yes, access.No, access.Yes}},
	} {
		for i, want := range c.want {
			if got := c.kernel.Fixed(i + 1); got != want {
				t.Errorf("erratum %d of %+v: %v, want %v", i+1, c.kernel, got, want)
			}
		}
	}
}
