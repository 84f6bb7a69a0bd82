// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strings"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

func TestDoctorKernel(t *testing.T) {
	right := func(name string) access.Right {
		r, ok := access.Lookup(name)
		if !ok {
			t.Fatal(name)
		}
		return r
	}
	way := func(name, way string) access.Ways {
		w, ok := access.LookupWay(right(name), way)
		if !ok {
			t.Fatal(way)
		}
		return w.Ways()
	}
	all := access.Supported(7)
	whole := scan.Kernel{Landlock: scan.Enabled, ABI: 7, Rights: access.Exactly(all), ErrataKnown: true, Errata: 7}
	for _, c := range []struct {
		name   string
		change func(*scan.Kernel)
		want   []string
		not    []string
	}{
		{"all is well but what is new", func(*scan.Kernel) {}, []string{
			"[ok]   Landlock           enabled, ABI 7; domains nest up to 16 deep\n",
			"[ok]   rights             20, each asked of the kernel\n",
			"[ok]   errata             fixed: 1 (what a TCP socket is), 2 (", "3 (",
			"[note] errata             4 (whiteouts of OverlayFS) is not fixed: Making a whiteout needs fs.make_char and not fs.make_reg.\n",
		}, []string{"ways", "refused", "not known"}},
		{"an ABI that is not kept", func(k *scan.Kernel) { k.Rights = access.Exactly(all.Without(right("scope.signal").Rights())) },
			[]string{"[note] rights             19, each asked of the kernel; refused, though its ABI has them: scope.signal\n"}, nil},
		{"a filter", func(k *scan.Kernel) {
			k.Rights.Sure = all.Without(access.Scope.Rights(3))
			k.Rights.May = all.Union(access.Scope.Rights(^uint32(0)))
		}, []string{"[note] rights", "; not known, because asking was not answered: scope.abstract_unix_socket, scope.signal, scope.bit2", " and 24 more\n"},
			[]string{"refused"}},
		{"a right that is newer", func(k *scan.Kernel) { k.Rights = access.Exactly(all.Union(access.FS.Rights(1 << 20))) },
			[]string{"[ok]   rights             21, each asked of the kernel; beyond its ABI: fs.bit20\n"}, nil},
		{"errata are not known", func(k *scan.Kernel) { k.ErrataKnown, k.Errata = false, 0 },
			[]string{"[note] errata             not known: "}, []string{"fixed"}},
		{"a newer erratum", func(k *scan.Kernel) { k.Errata = 0x1f },
			[]string{"4 (whiteouts of OverlayFS), later ones that are not known here (0x10)\n"}, []string{"not fixed"}},
		{"errata of rights that came later", func(k *scan.Kernel) { k.ABI, k.Errata = 3, 0xc },
			[]string{"[ok]   errata             fixed: 3 ("}, []string{"1 (", "2 (", "not fixed"}},
		{"ways", func(k *scan.Kernel) {
			k.Ways = way("net.connect_tcp", "mptcp")
			k.WaysUnknown = way("net.connect_tcp", "tcp_fast_open") | way("fs.refer", "disconnected_directory")
		}, []string{
			"[note] ways past a right  net.connect_tcp does not cover: MPTCP (tried: open), Fast Open (tried: not known)\n",
			"[note] ways past a right  fs.refer may not cover: directories that were moved out of a bind mount (erratum 3: not known)\n",
			"[note] ways past a right  MPTCP can be closed by a seccomp filter that denies socket(2) with IPPROTO_MPTCP, or net.mptcp.enabled=0 ",
		}, []string{"bind_tcp", "SMC"}},
		{"a way that is not tried", func(k *scan.Kernel) { k.WaysUnknown = way("net.bind_tcp", "smc") }, []string{
			"[note] ways past a right  net.bind_tcp may not cover: SMC (not known: not tried if that would load its module)\n",
		}, []string{"connect_tcp"}},
		{"Landlock is off", func(k *scan.Kernel) { *k = scan.Kernel{Landlock: scan.Disabled} },
			[]string{"[note] Landlock", "every process is unsandboxed"}, []string{"rights", "errata"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := whole
			c.change(&k)
			var b strings.Builder
			works, err := examine(&b, &host{kernel: &k}, []check{checkKernel})
			for _, want := range c.want {
				if !strings.Contains(b.String(), want) {
					t.Errorf("%q is not in:\n%s", want, b.String())
				}
			}
			for _, not := range c.not {
				if strings.Contains(b.String(), not) {
					t.Errorf("%q is in:\n%s", not, b.String())
				}
			}
			if !works || err != nil {
				t.Errorf("it is no failure: %v", err)
			}
		})
	}
}
