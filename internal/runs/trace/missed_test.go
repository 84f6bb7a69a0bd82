// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// TestMissedExec: an execve(2) that no program was called for is counted as missed when its
// process ends, however that is; the executable is then unknown. One that failed where it cannot
// return is none.
func TestMissedExec(t *testing.T) {
	sh := copyOf(t, "sh")
	for name, c := range map[string]struct {
		execs  string
		detach bool
		exe    string
	}{
		"exits":  {execs: "true", detach: true},
		"killed": {execs: "sh -c 'kill -TERM $$'", detach: true},
		"fails":  {execs: "'" + brokenProgram(t) + "'", exe: sh},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t)
			root, own := ownCgroup(t)
			within(t, filepath.Join(root, own), filepath.Join(root, own), func(in *syscall.SysProcAttr) {
				cmd := exec.Command(sh, "-c", "echo; read x; exec "+c.execs)
				cmd.SysProcAttr = in
				stdin, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				stdout, err := cmd.StdoutPipe()
				if err == nil {
					err = cmd.Start()
				}
				if err == nil { // the shell is noted before anything is missed
					_, err = stdout.Read(make([]byte, 1))
				}
				if err != nil {
					t.Fatal(err)
				}
				if c.detach {
					detach(t, r, objectEventEVENT_EXEC)
				}
				stdin.Close()
				if _, err := cmd.Process.Wait(); err != nil {
					t.Error(err)
				}
			})
			d, err := r.Drain()
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]uint64{}
			for _, c := range d.Cells {
				if c.Cgroup == own && c.Kind == runs.Run {
					got[fmt.Sprint(c.State, c.Exe)] += c.Count
				}
			}
			// While programs are detached, those of others are missed, too.
			if missed := d.Missed > 0; len(got) != 1 || got[fmt.Sprint(scan.Unsandboxed, c.exe)] != 1 ||
				missed != c.detach {
				t.Errorf("%v, and %d missed; want one run of %q", got, d.Missed, c.exe)
			}
		})
	}
}

// TestMissedExit: a process that ended without a program having been called is found once both that
// count exits may have missed it, and counted as unknown.
func TestMissedExit(t *testing.T) {
	r := open(t)
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	detach(t, r, objectEventEVENT_EXIT)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	for _, sweeps := range []bool{false, true} {
		if sweeps { // as if the kernel had skipped them once
			r.misses.now[objectEventEVENT_EXIT]--
			r.misses.now[objectEventEVENTS+objectEventEVENT_EXIT]--
		}
		if err := exec.Command("true").Run(); err != nil { // so that there is something new
			t.Fatal(err)
		}
		d, err := r.Drain()
		if err != nil {
			t.Fatal(err)
		}
		unknown := uint64(0)
		for _, c := range d.Cells {
			if c.Kind == runs.Run && c.State == scan.Unknown && c.Folded && c.CgroupID == 0 {
				unknown += c.Count
			}
		}
		if (unknown > 0) != sweeps || (d.Missed > 0) != sweeps {
			t.Errorf("missed %t: %d are unknown, %d missed", sweeps, unknown, d.Missed)
		}
	}
}

// detach has the kernel call no program for an event any more.
func detach(t *testing.T, r *Reader, event objectEvent) {
	t.Helper()
	for i := int(event); i < r.state.Copies*numEvents; i += numEvents {
		none, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		r.files[linkFiles+i].Close()
		r.files[linkFiles+i] = none
	}
	for began := time.Now(); ; { // it may be done a little later
		before := r.control.Cost[event].Calls
		if err := exec.Command("true").Run(); err != nil {
			t.Fatal(err)
		}
		if r.control.Cost[event].Calls == before {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatal("programs are called though they are detached")
		}
	}
}

// brokenProgram returns a program whose only segment is where none can be: the kernel has given up
// the old program when it notices.
func brokenProgram(t *testing.T) string {
	t.Helper()
	var head elf.Header64
	b, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = binary.Read(bytes.NewReader(b), binary.NativeEndian, &head)
	}
	if err != nil {
		t.Fatal(err)
	}
	head.Type, head.Phoff, head.Phnum = uint16(elf.ET_EXEC), uint64(binary.Size(head)), 1
	segment := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: 0x7ffffffffffff000,
		Filesz: 64, Memsz: 64, Align: 4096,
	}
	var file bytes.Buffer
	for _, part := range []any{head, segment} {
		if err := binary.Write(&file, binary.NativeEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "broken")
	if err := os.WriteFile(name, file.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}
