// SPDX-License-Identifier: Apache-2.0

package facts

import (
	"testing"

	"github.com/landlockd/landlockd/access"
)

// rights are those that patterns match.
func rights(globs ...string) (set access.Rights) {
	for _, glob := range globs {
		for _, r := range access.Match(glob) {
			set = set.Union(r.Rights())
		}
	}
	return set
}

func TestLetters(t *testing.T) {
	abi1, abi9 := access.Exactly(access.Supported(1)), access.Exactly(access.Supported(9))
	for _, c := range []struct {
		kernel access.Bounds
		sure   access.Rights
		may    access.Rights
		want   string
	}{
		{abi9, access.Rights{}, access.Rights{}, "-----"},
		{abi9, access.Every(), access.Every(), "RWXNS"},
		{abi9, rights("fs.read_*"), access.Rights{}, "R----"},
		{abi9, rights("fs.read_dir", "fs.write_file", "fs.execute"), access.Rights{}, "rwX--"},
		{abi9, rights("fs.refer", "fs.ioctl_dev"), access.Rights{}, "-----"},
		{abi9, rights("net.bind_tcp"), rights("net.*", "scope.signal"), "---n?"},
		{abi9, access.Rights{}, access.Every(), "?????"},
		{abi1, access.Supported(1), access.Every(), "RWX--"},
		{access.Bounds{}, access.Every(), access.Every(), "-----"},
	} {
		restricts := access.Bounds{Sure: c.sure, May: c.sure.Union(c.may)}
		if got := Letters(c.kernel)(restricts); got != c.want {
			t.Errorf("%v: %s, want %s", access.Names(c.sure), got, c.want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		globs []string
		name  string
		want  bool
	}{
		{nil, "x", true}, {[]string{"a*"}, "abc", true}, {[]string{"a*"}, "bc", false},
		{[]string{"b", "shop/*"}, "shop/web", true}, {[]string{"*"}, "shop/web", false}, {[]string{"["}, "[", false},
	} {
		if got := Matches(c.globs, c.name); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
