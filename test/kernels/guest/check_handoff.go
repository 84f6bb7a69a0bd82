// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/sandbox"
)

// checkHandoff hands the source to a process of user nobody that has no
// capability and puts itself in a domain that handles every right and allows
// nothing: that is how the daemon serves.
func checkHandoff(t *T) {
	source := openIterator(t)
	t.Fact("unprivileged", source.Unprivileged())
	sandboxed := startSleepers(t, 3, 1)[0].pid
	free := startSleepers(t, 0, 1)[0].pid
	state, files, err := source.Handoff()
	t.Must(err)
	cmd := asNobodyCommand(0, "resume", string(state), fmt.Sprint(len(files)), fmt.Sprint(sandboxed), fmt.Sprint(free))
	cmd.ExtraFiles = files
	out, err := cmd.CombinedOutput()
	if want := fmt.Sprintf("%d sandboxed 3\n%d unsandboxed 0\n", sandboxed, free); err != nil || string(out) != want {
		t.Errorf("a confined process says %q (%v), want %q", out, err, want)
	}
}

// resume goes on with a source that it was handed, in a domain.
func resume(args []string) {
	var files []*os.File
	n, err := strconv.Atoi(args[1])
	exit("number of descriptors", err)
	for fd := range n {
		files = append(files, os.NewFile(uintptr(3+fd), "handed"))
	}
	// The main thread, which scans.
	exit("restrict", sandbox.Sandbox{{Handled: landlock.Rights().Sure}}.Enter())
	if _, err := os.ReadFile("/proc/self/status"); err == nil {
		exit("domain", fmt.Errorf("files can still be read"))
	}
	s, err := taskiter.Resume(json.RawMessage(args[0]), files)
	exit("resume", err)
	printStates(s, args[2:])
}
