// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/binary"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/test/testenv"
)

// asNobody makes a command run as a user that owns nothing, with these
// capabilities and no others.
func asNobody(caps ...uintptr) func(*exec.Cmd) {
	return func(c *exec.Cmd) {
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: caps,
		}
	}
}

func TestWithoutPrivilege(t *testing.T) {
	testenv.NeedRoot(t)
	for _, command := range [][]string{{}, {"serve"}, {"once"}, {"once", "--format=json"}, {"tree"}} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			if len(command) == 0 || command[0] == "serve" {
				command = append(command, "--web.listen-address="+testenv.FreeAddress(t))
			}
			p := launch(t, asNobody(), append([]string{landlockd}, command...)...)
			p.wait(t)
			out := p.stdout.String()
			if strings.Contains(out, `landlockd_source_available{reason="no_capability",source="taskiter"} 0`) {
				p.stdout = testenv.Output{} // once informs whoever collects metrics, too
			}
			checkRefusal(t, p, exitFailure, "CAP_BPF", "CAP_PERFMON", "setcap", "AmbientCapabilities=")
		})
	}
}

func TestWithHalfOfThePrivilege(t *testing.T) {
	testenv.NeedRoot(t)
	for _, c := range []struct {
		has  uintptr
		want string
		not  string
	}{{unix.CAP_BPF, "missing CAP_PERFMON", "missing CAP_BPF"}, {unix.CAP_PERFMON, "missing CAP_BPF", "and CAP_PERFMON"}} {
		p := runWith(t, asNobody(c.has), "--web.listen-address="+testenv.FreeAddress(t))
		checkRefusal(t, p, exitFailure, c.want)
		if strings.Contains(p.stderr.String(), c.not) {
			t.Errorf("%q in: %s", c.not, &p.stderr)
		}
	}
}

func TestWithExactlyTheCapabilitiesNeeded(t *testing.T) {
	testenv.NeedRoot(t)
	both := asNobody(unix.CAP_BPF, unix.CAP_PERFMON)
	d := startDaemon(t, daemonOptions{change: both, args: []string{"--confine=require"}})
	checkServingStage(t, d, "65534")
	d.stop(t)
	if p := runWith(t, both, "once"); p.wait(t) != 0 {
		t.Errorf("once: %s", &p.stderr)
	}
}

// What the message about missing privilege advises.
func TestWithCapabilitiesOfTheFile(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	if fs.Flags&unix.ST_NOSUID != 0 {
		t.Skipf("%s is mounted nosuid: capabilities of files do not count there", dir)
	}
	program := filepath.Join(dir, "landlockd")
	copyProgram(t, landlockd, program)
	// struct vfs_cap_data: cap_bpf,cap_perfmon+ep
	const revision2, effective = 0x02000000, 1
	data := binary.LittleEndian.AppendUint32(nil, revision2|effective)
	for _, v := range []uint32{0, 0, 1<<(unix.CAP_BPF-32) | 1<<(unix.CAP_PERFMON-32), 0} {
		data = binary.LittleEndian.AppendUint32(data, v)
	}
	if err := unix.Setxattr(program, "security.capability", data, 0); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, daemonOptions{binary: program, change: asNobody(), args: []string{"--confine=require"}})
	checkServingStage(t, d, "65534")
	d.stop(t)
}

func TestOnlyRootCanChooseAUser(t *testing.T) {
	testenv.NeedRoot(t)
	p := runWith(t, asNobody(unix.CAP_BPF, unix.CAP_PERFMON), "--web.listen-address="+testenv.FreeAddress(t), "--user=daemon")
	checkRefusal(t, p, exitUsage, "--user", "only root")
	p = run(t, "--web.listen-address="+testenv.FreeAddress(t), "--user=no-such-user")
	checkRefusal(t, p, exitUsage, "--user", "no-such-user")
}
