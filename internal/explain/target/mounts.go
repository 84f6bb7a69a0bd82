// SPDX-License-Identifier: Apache-2.0

package target

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Mount is one line of /proc/[pid]/mountinfo.
type Mount struct {
	// Point is where it is mounted, as the process finds it.
	Point string
	// Root is the directory of the filesystem that is mounted there.
	Root string
	// Type and Dev are the filesystem's, as the kernel gives them: "ext4", "8:1".
	Type, Dev string
}

// Mounts reads where something is mounted, for the process. Whoever has a mount
// namespace chooses the text.
func (t *Process) Mounts() ([]Mount, error) { return t.mounts(t.dir, "mountinfo") }

// MountsOf is Mounts, for one thread.
func (t *Process) MountsOf(tid int32) ([]Mount, error) {
	return t.mounts(t.all, fmt.Sprintf("task/%d/mountinfo", tid))
}

func (t *Process) mounts(dir *os.File, name string) ([]Mount, error) {
	const limit = 4 << 20
	b, err := t.read(dir, name, limit)
	if err != nil {
		return nil, err
	}
	return parseMounts(string(b)), nil
}

// parseMounts leaves out lines that it does not understand.
func parseMounts(text string) []Mount {
	var mounts []Mount
	for line := range strings.Lines(text) {
		before, behind, found := strings.Cut(line, " - ")
		fields, types := strings.Fields(before), strings.Fields(behind)
		if !found || len(fields) < 6 || len(types) < 1 || !strings.HasPrefix(fields[4], "/") {
			continue
		}
		mounts = append(mounts, Mount{
			Point: unescape(fields[4]), Root: unescape(fields[3]), Type: types[0], Dev: fields[2],
		})
	}
	return mounts
}

// unescape undoes the kernel's \ooo for space, tab, line feed and backslash.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && octal(s[i+1]) && octal(s[i+2]) && octal(s[i+3]) {
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func octal(c byte) bool { return c >= '0' && c <= '7' }

// local are the types of filesystems that answer by themselves. All others may be
// served by a program, here or elsewhere, which may block a reader for ever.
var local = []string{
	"bcachefs", "bpf", "btrfs", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "erofs", "exfat",
	"ext2", "ext3", "ext4", "f2fs", "hugetlbfs", "iso9660", "mqueue", "overlay", "proc", "pstore", "ramfs", "rootfs", "securityfs",
	"squashfs", "sysfs", "tmpfs", "tracefs", "udf", "vfat", "xfs", "zfs",
}

// Local reports whether the mount's filesystem answers by itself.
func (m *Mount) Local() bool { return slices.Contains(local, m.Type) }
