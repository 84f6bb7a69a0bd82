// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestSharesOfNestedCgroups: whoever makes cgroups of his own, under whatever names and for however
// many users, has one share of a table for all of them. What has no room is counted where they are
// all below, and nobody else is.
func TestSharesOfNestedCgroups(t *testing.T) {
	const most = int(objectSizesCELLS_SHARE)
	const cgroups = uint64(most/2 + 50) // each has two cells
	root, own := ownCgroup(t)
	top := filepath.Base(own)
	for name, unit := range map[string]string{
		"a user's units":              own + "/user@1000.service",
		"units in a container of LXC": "/lxc.payload." + top,
		"units in a container":        "/docker-" + top + "/0123456789ab",
		"units in a pod's container":  "/kubepods-" + top + "/burstable/pod1/0123456789ab",
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			program := testenv.NeedTool(t, "true")
			run := func(above, cgroup string, uid uint32) {
				within(t, filepath.Join(root, above), filepath.Join(root, cgroup), func(in *syscall.SysProcAttr) {
					cmd := exec.Command(program)
					in.Credential = &syscall.Credential{Uid: uid, Gid: uid}
					cmd.SysProcAttr = in
					if err := cmd.Run(); err != nil {
						t.Fatal(err)
					}
				})
			}
			inside, others := unit+"/app.slice", own+"/nginx1.service"
			above := "/" + strings.Split(unit, "/")[1]
			within(t, filepath.Join(root, above), filepath.Join(root, inside), func(*syscall.SysProcAttr) {
				for n := range cgroups {
					cgroup := fmt.Sprintf("%s/nginx%d.service", inside, n)
					run(cgroup, cgroup, 100_000+uint32(n))
				}
			})
			run(own, others, 100_001)
			d, err := r.Drain()
			if err != nil {
				t.Fatal(err)
			}
			kept, all, ofOthers := 0, uint64(0), uint64(0)
			for _, c := range d.Cells {
				switch {
				case c.Cgroup == others && !c.Folded:
					ofOthers += c.Count
				case strings.HasPrefix(c.Cgroup, inside) && !c.Folded:
					kept++
					all += c.Count
				case c.Folded && c.Cgroup == unit:
					all += c.Count
				}
			}
			if kept == 0 || kept > most || all != 2*cgroups || ofOthers != 2 {
				t.Errorf("%d of %d at most have cells of their own, %d of %d are counted; of another unit %d of 2",
					kept, most, all, 2*cgroups, ofOthers)
			}
		})
	}
}
