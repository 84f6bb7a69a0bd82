// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// see prints of each process whether the answer has it, and whether the kernel lets this one
// look at it.
func see(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := AskSnapshot(ctx, args[0])
	var refused *Refused
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	for _, arg := range append(args[1:], strconv.Itoa(os.Getpid())) {
		pid, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		_, err = os.Readlink(fmt.Sprintf("/proc/%d/ns/user", pid))
		fmt.Print(verdict(s != nil && s.Find(int32(pid)) != nil), verdict(err == nil), " ")
	}
	fmt.Println()
	return nil
}

func verdict(yes bool) string {
	if yes {
		return "y"
	}
	return "n"
}

func seeBesideTwo(args []string) error {
	for _, of := range [][]string{{"/bin/cat"}, {"/proc/self/exe", playRole, "cat-in-a-domain"}} {
		pid, end, err := startCat(of...)
		if err != nil {
			return err
		}
		defer end()
		args = append(args, strconv.Itoa(pid))
	}
	return see(args)
}

// startCat starts a program that becomes cat, and waits until it has.
func startCat(args ...string) (pid int, end func(), err error) {
	return startUntil(func(pid int) bool {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		return err == nil && string(comm) == "cat\n"
	}, args...)
}

func startUntil(is func(pid int) bool, args ...string) (pid int, end func(), err error) {
	cmd := exec.Command(args[0], args[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	end = sync.OnceFunc(func() {
		in.Close()
		_ = cmd.Wait()
	})
	for wait := time.Now(); !is(cmd.Process.Pid); time.Sleep(time.Millisecond) {
		if time.Since(wait) > time.Minute {
			end()
			return 0, nil, fmt.Errorf("%q does not start", args)
		}
	}
	return cmd.Process.Pid, end, nil
}

// TestSeesWhatTheKernelLets: real processes of several users look at one another. Who is in no
// domain sees what the kernel lets it look at, who is in one what is nested inside that.
func TestSeesWhatTheKernelLets(t *testing.T) {
	h := newHost(t)
	dir := testenv.PublicDir(t)
	self, setuid := filepath.Join(dir, "self"), filepath.Join(dir, "cat")
	for from, to := range map[string]string{"/proc/self/exe": self, "/bin/cat": setuid} {
		if err := copyProgram(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(setuid, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	t.Parallel() // it waits for scans; sockets are made one after the other, for the umask
	as := func(id string, args ...string) []string {
		return append([]string{"setpriv", "--reuid=" + id, "--regid=" + id, "--clear-groups"}, args...)
	}
	const a, b = "65534", "65533" // nobody, and another one
	var pids []string
	start := func(pid int, end func(), err error) {
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(end)
		pids = append(pids, strconv.Itoa(pid))
	}
	start(startCat(as(a, "cat")...))
	start(startCat(as(b, "cat")...))
	start(startCat("cat"))
	start(startCat(as(a, setuid)...))
	start(startCat(as(a, "--inh-caps=+net_raw", "--ambient-caps=+net_raw", "cat")...))
	start(startCat(as(a, "unshare", "--user", "--map-root-user", "cat")...))
	start(startCat(as(b, "unshare", "--user", "--map-root-user", "cat")...))
	start(startCat("setpriv", "--reuid="+a, "--regid="+b, "--clear-groups", "cat"))
	start(startUntil(func(pid int) bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		return err == nil && strings.Contains(string(status), "\nUid:\t"+a)
	}, self, playRole, "hide-as-nobody"))
	//               nobody's, other's, root's, setuid, able, its namespace, other's, group, hidden
	everything := strings.Repeat("yy ", len(pids))
	nothing := strings.Repeat("nn ", len(pids))
	ofA, ofB := "yy nn nn nn nn yy nn nn nn ", "nn yy nn nn nn nn yy nn nn "
	callers := []struct {
		name string
		args []string
		want string // of the processes above, others that the role adds, and itself
	}{
		{"root", []string{self, playRole, "see"}, everything + "yy"},
		{"nobody", as(a, self, playRole, "see"), ofA + "yy"},
		{"another user", as(b, self, playRole, "see"), ofB + "yy"},
		{"beside others", as(a, self, playRole, "see-beside-two"), ofA + "yy yy yy"},
		{"root without capability", []string{"setpriv", "--bounding-set=-all", "--inh-caps=-all", self, playRole, "see"}, "nn nn nn nn nn nn nn nn nn yy"},
		{"root of a user namespace", as(a, "unshare", "--user", "--map-root-user", self, playRole, "see-beside-two"), nothing + "yy yy yy"},
		// The kernel lets it look at itself and what shares its domain, but shows nobody a domain.
		{"sandboxed root", []string{self, playRole, "see-in-a-domain"}, nothing + "ny yy ny"},
		{"sandboxed", as(a, self, playRole, "see-in-a-domain"), nothing + "ny yy ny"},
	}
	var wg sync.WaitGroup
	for _, c := range callers {
		wg.Go(func() {
			args := append(append(c.args[1:len(c.args):len(c.args)], h.socket), pids...)
			out, err := exec.Command(c.args[0], args...).CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
				t.Errorf("%s: %v\n%s, want\n%s", c.name, err, got, c.want)
			}
		})
	}
	wg.Wait()
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
