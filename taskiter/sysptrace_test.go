// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/scan"
)

// sysPtraceInProc is what procfs shows of the same; false if the process went.
func sysPtraceInProc(t *testing.T, pid int32) (has, ok bool) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d", pid)
	ns, err := os.Readlink(dir + "/ns/user")
	if err != nil {
		return false, false
	}
	has = ns == fmt.Sprintf("user:[%d]", uint32(scan.InitUserNS))
	files, err := filepath.Glob(dir + "/task/*/status")
	if err != nil || len(files) == 0 {
		return false, false
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return false, false
		}
		_, after, _ := strings.Cut(string(b), "\nCapEff:\t")
		line, _, _ := strings.Cut(after, "\n")
		caps, err := strconv.ParseUint(line, 16, 64)
		if err != nil {
			t.Fatalf("%s: CapEff %q: %v", f, line, err)
		}
		has = has && caps>>unix.CAP_SYS_PTRACE&1 != 0
	}
	return has, true
}

// TestScanSysPtrace: who may look at all others is as procfs shows it, of every process
// of this host.
func TestScanSysPtrace(t *testing.T) {
	s := openSource(t, Options{})
	start := func(args ...string) int32 {
		cmd := exec.Command(args[0], args[1:]...)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			in.Close()
			cmd.Wait()
		})
		comm := ""
		for comm != "cat" {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
			if err != nil {
				t.Fatal(err)
			}
			comm = strings.TrimSpace(string(b))
			runtime.Gosched()
		}
		return int32(cmd.Process.Pid)
	}
	want := map[int32]bool{
		start("cat"): true,
		start("setpriv", "--reuid=65534", "--clear-groups", "cat"):                                       false,
		start("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", "cat"):                  false,
		start("setpriv", "--bounding-set=-all,+sys_ptrace", "--inh-caps=-all", "cat"):                    true,
		start("setpriv", "--reuid=65534", "--inh-caps=+sys_ptrace", "--ambient-caps=+sys_ptrace", "cat"): true,
		start("unshare", "--user", "--map-root-user", "cat"):                                             false,
	}
	snap := mustScan(t, s)
	for pid, want := range want {
		if p := mustFind(t, snap, pid); p.MayLookAtAll() != want {
			t.Errorf("process %d: %v, want %v", pid, p.MayLookAtAll(), want)
		}
	}
	compared := 0
	for i := range snap.Processes {
		p := &snap.Processes[i]
		has, ok := sysPtraceInProc(t, p.PID)
		if !ok || snap.TasksOf(p)[0].State == scan.Unknown {
			continue
		}
		compared++
		if again, ok := sysPtraceInProc(t, p.PID); ok && again == has && p.MayLookAtAll() != has {
			if p := mustScan(t, s).Find(p.PID); p != nil && p.MayLookAtAll() != has {
				t.Errorf("process %d (%s): %v, procfs says %v", p.PID, p.Comm.String(), p.MayLookAtAll(), has)
			}
		}
	}
	if compared < len(want) {
		t.Errorf("only %d processes were compared", compared)
	}
}

// TestSysPtraceOfThreads: one thread without the capability is enough.
func TestSysPtraceOfThreads(t *testing.T) {
	s := openSource(t, Options{})
	if p := mustFind(t, mustScan(t, s), int32(os.Getpid())); !p.MayLookAtAll() {
		t.Fatalf("this process does not have the capability: %+v", *p)
	}
	dropped, done := make(chan error), make(chan bool)
	ended := make(chan bool)
	go func() {
		defer close(ended)
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		err := unix.Capget(&hdr, &data[0])
		data[0].Effective &^= 1 << unix.CAP_SYS_PTRACE
		if err == nil {
			err = unix.Capset(&hdr, &data[0])
		}
		dropped <- err
		<-done
	}()
	if err := <-dropped; err != nil {
		t.Fatal(err)
	}
	if p := mustFind(t, mustScan(t, s), int32(os.Getpid())); p.MayLookAtAll() {
		t.Errorf("a thread without it does not count: %+v", *p)
	}
	close(done)
	<-ended
}

// TestCapabilitiesOfEveryKernel: before Linux 6.3 a set of capabilities is two
// words, and the program reads the first.
func TestCapabilitiesOfEveryKernel(t *testing.T) {
	object, err := loadObject()
	if err != nil {
		t.Fatal(err)
	}
	const exists, number, word = `field_exists, Struct:"cred"[0:1:0]`, `byte_off, Struct:"cred"[0:1:0]`, `byte_off, Struct:"cred___words"[0:0:0:0]`
	for _, c := range []struct {
		name string
		set  *btf.Struct
		want map[string]string
	}{
		{"6.2", structOf("kernel_cap_struct", 8, at{"cap", 0, arrayOf(typeU32, 2)}), map[string]string{exists: "field_exists=1->0", number: "byte_off=poison", word: "byte_off=0->48"}},
		{"6.3", structOf("", 8, at{"val", 0, typeU64}), map[string]string{exists: "field_exists=1->1", number: "byte_off=8->48", word: "byte_off=poison"}},
	} {
		kernel := specOf(t, structOf("cred", 64, at{"cap_effective", 48, &btf.Typedef{Name: "kernel_cap_t", Type: c.set}}))
		got := map[string]string{}
		for i := range object.Programs["scan"].Instructions {
			r := btf.CORERelocationMetadata(&object.Programs["scan"].Instructions[i])
			if r == nil {
				continue
			}
			for what := range c.want {
				if !strings.Contains(r.String(), what) {
					continue
				}
				fixups, err := btf.CORERelocate([]*btf.CORERelocation{r}, []*btf.Spec{kernel}, object.ByteOrder, func(btf.Type) (btf.TypeID, error) { return 0, nil })
				if err != nil {
					t.Fatal(err)
				}
				got[what] = fixups[0].String()
			}
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("Linux %s: %v, want %v", c.name, got, c.want)
		}
	}
}
