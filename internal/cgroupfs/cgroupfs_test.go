// SPDX-License-Identifier: Apache-2.0

package cgroupfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		name, text, mounted string
		id                  uint32
		dir                 string
		legacy              bool
	}{
		{"v2 alone", "0::/init.scope\n", "", 0, "", false},
		{"hybrid systemd", "12:freezer:/\n1:name=systemd:/init.scope\n0::/init.scope\n",
			"systemd freezer", 1, "systemd", true},
		{"its number is any", "9:name=systemd:/\n8:pids:/\n6:freezer:/\n0::/\n",
			"systemd pids freezer", 9, "systemd", true},
		{"systemd's is not mounted", "9:name=systemd:/\n6:freezer:/\n", "freezer", 9, "", true},
		{"OpenRC", "11:name=openrc:/docker\n7:freezer:/\n5:memory:/\n0::/\n",
			"openrc freezer memory", 7, "freezer", true},
		{"no freezer is mounted", "7:freezer:/\n5:memory:/\n", "memory", 5, "memory", true},
		{"a mount by all controllers", "4:cpu,cpuacct:/\n3:net_cls,net_prio:/\n",
			"cpu,cpuacct net_cls,net_prio", 4, "cpu,cpuacct", true},
		{"a mount by one of them", "4:cpuacct,cpu:/\n", "cpu", 4, "cpu", true},
		{"nothing that runtimes use for certain", "4:net_cls:/\n3:hugetlb:/\n",
			"net_cls hugetlb", 0, "", true},
		{"nothing is mounted", "7:freezer:/\n5:memory:/\n", "", 0, "", true},
		{"names without controllers", "2:name=elogind:/1\n0::/\n", "elogind", 0, "", false},
		{"v2 has no number but 0", "0:freezer:/\n", "freezer", 0, "", false},
		{"hostile", "x\n:::\n-1:freezer:/\n99999999999:freezer:/\n7:../freezer,freezer:/a\n\n",
			"../freezer", 0, "", true},
	} {
		lines := Lines(c.text)
		got := choose(lines, func(name string) string {
			for mounted := range strings.SplitSeq(c.mounted, " ") {
				if mounted == name && name != "" {
					return name
				}
			}
			return ""
		})
		if got.ID != c.id || got.Dir != c.dir || legacy(lines) != c.legacy {
			t.Errorf("%s: %+v, legacy %v", c.name, got, legacy(lines))
		}
	}
}

// What is found here must be what is mounted here.
func TestFindHere(t *testing.T) {
	h := Find("/proc", "/sys/fs/cgroup")
	if again := Find("/no/such/proc", "/sys/fs/cgroup"); again != h {
		t.Errorf("with another proc file system: %+v, not %+v", again, h)
	}
	if h.V2 == "" && h.V1.Dir == "" {
		if testing.Short() {
			t.Skip("needs cgroups")
		}
		t.Fatal("no hierarchy at /sys/fs/cgroup; -short leaves this out")
	}
	if h.Unified != (mounted("/sys/fs/cgroup", unix.CGROUP2_SUPER_MAGIC) != "") ||
		h.Unified && (h.V1 != V1{} || h.Legacy) {
		t.Errorf("%+v", h)
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	if listed := strings.Contains(string(text), ":name=systemd:"); !h.Unified && listed &&
		filepath.Base(h.V1.Dir) != "systemd" {
		t.Errorf("%+v, but systemd's is listed", h)
	}
}

func TestFindNothing(t *testing.T) {
	h := Find("/proc", t.TempDir())
	if h.V2 != "" || h.Unified || h.V1.Dir != "" {
		t.Errorf("%+v in an empty directory", h)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("4:cpu,cpuacct:/a:b\n0::/\n1:name=systemd:/x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		choose(text, func(name string) string {
			if name == "" || strings.Contains(name, "/") || name == ".." {
				t.Fatalf("%q is looked for", name)
			}
			return ""
		})
	})
}
