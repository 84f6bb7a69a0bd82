// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/cgroupfs"
)

// The v1 cgroup of a process is that in the hierarchy that was chosen, whichever it is.
func TestIdentityOfChosenHierarchy(t *testing.T) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	self, err := unix.Open("/proc/self", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(self)
	const cgroupFS = "/sys/fs/cgroup"
	hosts := []cgroupfs.Host{cgroupfs.Find("/proc", cgroupFS), {}}
	want := []uint64{0, 0}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		number, err := strconv.ParseUint(parts[0], 10, 32)
		if err != nil || number == 0 || len(parts) != 3 {
			continue
		}
		dir := filepath.Join(cgroupFS, strings.TrimPrefix(parts[1], "name="))
		var st unix.Stat_t
		if unix.Stat(filepath.Join(dir, parts[2]), &st) != nil {
			continue // not mounted, or mounted elsewhere
		}
		v1 := cgroupfs.V1{ID: uint32(number), Dir: dir}
		hosts, want = append(hosts, cgroupfs.Host{V1: v1}), append(want, st.Ino)
		if v1 == hosts[0].V1 {
			want[0] = st.Ino
		}
	}
	if hosts[0].V1.Dir != "" && want[0] == 0 {
		t.Errorf("%+v is not among those of %s", hosts[0].V1, text)
	}
	for i, host := range hosts {
		reader := newIdentifier(host)
		var id identity
		reader.read(self, &id)
		reader.close()
		if id.cgroupV1 != want[i] {
			t.Errorf("%+v: v1 cgroup %d, want %d", host, id.cgroupV1, want[i])
		}
	}
}
