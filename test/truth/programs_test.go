// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/test/testenv"
)

// TestRunsOfPrograms has programs as everybody knows them run, and compares with what the
// kernel's process connector says of them.
func TestRunsOfPrograms(t *testing.T) {
	f, g := feed(t), groups(t, 1)
	dir := testenv.PublicDir(t)
	writeProject(t, dir, 24)
	for name, args := range map[string][]string{
		"make": {testenv.NeedTool(t, "make"), "-s", "-j4", "-C", dir},
		"shell": {testenv.NeedTool(t, "sh"), "-c", `
			for i in 1 2 3 4 5 6 7 8 9 10; do
				echo $i | cat | (cat; true) | wc -c
				x=$(echo $(uname) | tr a-z A-Z)
				sh -c 'sleep 0.01 & sh -c "exit 3" | cat; wait'
				timeout 0.05 sleep 9
				sh -c 'kill -9 $$' || true
			done >/dev/null 2>&1`},
		"users": {testenv.NeedTool(t, "sh"), "-c", `
			for i in 1 2 3 4 5 6 7 8 9 10; do
				setpriv --reuid 65534 --regid 65534 --clear-groups sh -c 'true | true'
				runuser -u nobody -- sh -c 'exit 0'
				env -i nice setsid -w true
			done`},
	} {
		t.Run(name, func(t *testing.T) {
			for observe(t, f, g, args) != nil {
				t.Log("the process connector lost events: again")
			}
		})
	}
}

// observe runs a program and compares what was counted with what an observer heard. It
// returns an error if that one lost something.
func observe(t *testing.T, f runs.Feed, g Groups, args []string) error {
	t.Helper()
	files, err := g.open()
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(files)
	drain(t, f)
	o, err := Observe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(files[0].Fd())}
	out, runErr := cmd.CombinedOutput()
	exits, execs, err := o.Ended(cmd.Process.Pid)
	if errors.Is(err, errOverrun) {
		return err
	}
	if err != nil || runErr != nil {
		t.Fatal(errors.Join(err, runErr, errors.New(string(out))))
	}
	got := map[runs.Kind]int{}
	for _, c := range drain(t, f) {
		if c.CgroupID == g[0].V2 {
			got[c.Kind] += int(c.Count)
			if c.Exe == "" || c.Folded {
				t.Errorf("of one nothing is known: %+v", c)
			}
		}
	}
	t.Logf("%d runs, %d launches", exits, execs)
	if got[runs.Run] != exits || got[runs.Launch] != execs || exits < 50 {
		t.Errorf("%d runs and %d launches were counted, the observer heard of %d and %d",
			got[runs.Run], got[runs.Launch], exits, execs)
	}
	return nil
}

// writeProject writes n programs in C and a Makefile.
func writeProject(t *testing.T, dir string, n int) {
	t.Helper()
	makefile := "all:"
	for i := range n {
		makefile += fmt.Sprintf(" p%d", i)
	}
	files := map[string]string{"Makefile": makefile + "\np%: p%.c\n\t$(CC) -O1 -o $@ $< && ./$@\n"}
	for i := range n {
		files[fmt.Sprintf("p%d.c", i)] = "int main(void) { return 0; }\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
