// SPDX-License-Identifier: Apache-2.0

package procdir

import (
	"strconv"
	"strings"

	"github.com/landlockd/landlockd/internal/lazyregexp"
)

// Mount is one line of /proc/[pid]/mountinfo.
type Mount struct {
	// Point is where it is mounted, as the process finds it.
	Point string
	// Root is the directory of the filesystem that is mounted there.
	Root string
	// Type, Dev and Options are the filesystem's, as the kernel gives them: "ext4",
	// "8:1", "rw,errors=remount-ro".
	Type, Dev, Options string
}

// Mounts reads where something is mounted, for the process. Whoever has a mount
// namespace chooses the text.
func (d *Dir) Mounts() ([]Mount, error) {
	const longest = 4 << 20
	b, err := d.Read("mountinfo", longest)
	return ParseMounts(string(b)), err
}

// ParseMounts parses the text of a mountinfo file. The parser of prometheus/procfs reads
// by PID, gives up at a line that it does not understand, and leaves escapes. This one
// leaves out such lines (man proc_pid_mountinfo).
func ParseMounts(text string) []Mount {
	var mounts []Mount
	for line := range strings.Lines(text) {
		before, behind, found := strings.Cut(line, " - ")
		fields, fs := strings.Fields(before), strings.Fields(behind)
		if !found || len(fields) < 6 || len(fs) < 1 || !strings.HasPrefix(fields[4], "/") {
			continue
		}
		mounts = append(mounts, Mount{
			Point: unescape(fields[4]), Root: unescape(fields[3]),
			Type: fs[0], Dev: fields[2], Options: fs[len(fs)-1],
		})
	}
	return mounts
}

// escape is how the kernel writes a space, tab, line feed or backslash.
var escape = lazyregexp.New(`\\[0-3][0-7]{2}`)

func unescape(s string) string {
	return escape().ReplaceAllStringFunc(s, func(e string) string {
		c, _ := strconv.ParseUint(e[1:], 8, 8)
		return string([]byte{byte(c)})
	})
}
