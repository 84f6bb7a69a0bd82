// SPDX-License-Identifier: Apache-2.0

package procdir

import (
	"slices"
	"strings"
	"testing"
)

const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:20 / /proc rw - proc proc rw,hidepid=1
24 22 0:21 /a\040b /mnt/with\040space\134\012 rw master:2 - fuse.sshfs x:/ - rw
not a line
25 22 0:22 / relative rw - tmpfs tmpfs rw
26 22 0:22 / /run rw
`

func TestParseMounts(t *testing.T) {
	got := ParseMounts(mountinfo)
	want := []Mount{
		{"/", "/", "ext4", "254:0", "rw"}, {"/proc", "/", "proc", "0:20", "rw,hidepid=1"},
		{"/mnt/with space\\\n", "/a b", "fuse.sshfs", "0:21", "rw"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzParseMounts(f *testing.F) {
	f.Add(mountinfo)
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range ParseMounts(text) {
			if m.Point == "" || m.Type == "" || strings.Count(m.Point, "\x00") > strings.Count(text, "\x00")+len(text)/4 {
				t.Errorf("%+v", m)
			}
		}
	})
}
