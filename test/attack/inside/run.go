// SPDX-License-Identifier: Apache-2.0

package inside

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Report is what came of the attacks.
type Report struct {
	// Errors are the names of errors, empty for success, by kind of thread and name of the
	// attack.
	Errors map[string]map[string]string
}

// mark is ahead of a report in what the process prints.
const mark = "attack-report "

const name = "attack=%d,%d,%s"

// Name returns the first argument of the command line, for a process that is to attack
// with all that there is: root is the PID of a process of root's, same of one of the
// serving user's. With an ABI of Foreign it makes one call by that instead.
func Name(root, same int, abi string) string { return fmt.Sprintf(name, root, same, abi) }

// Arm prepares a process for an attack, if its name asks for one: it then runs main
// elsewhere, keeps the main thread, which it must be called on, and does not return.
func Arm(main func()) {
	var v victims
	var abi string
	if n, _ := fmt.Sscanf(os.Args[0], name, &v.root, &v.same, &abi); n < 2 {
		return
	}
	runtime.LockOSThread()
	early := newThread() // before any filter
	requests := make(chan os.Signal, 1)
	signal.Notify(requests, unix.SIGUSR1)
	go main()
	<-requests
	if call := foreign[abi]; call != nil {
		call()
	}
	r := Report{Errors: map[string]map[string]string{"the leader": try(v)}}
	early.do(func() { r.Errors["from before the filter"] = try(v) })
	late := newThread()
	late.do(func() { r.Errors["from after the filter"] = try(v) })
	close(late) // landlockd is checked for what it leaves behind
	text, err := json.Marshal(r)
	fmt.Fprintf(os.Stderr, "\n%s%s %v\n", mark, text, err)
	select {}
}

// thread does what it is given on an operating system's thread of its own.
type thread chan func()

func newThread() thread {
	t, ready := make(thread), make(chan bool)
	go func() {
		runtime.LockOSThread()
		close(ready)
		for f := range t {
			f()
		}
	}()
	<-ready
	return t
}

func (t thread) do(f func()) {
	done := make(chan bool)
	t <- func() { f(); close(done) }
	<-done
}

// Parse finds a report in what a process has printed; ok is false if there is none yet.
func Parse(printed string) (r Report, ok bool, err error) {
	_, rest, _ := strings.Cut(printed, mark)
	line, _, ended := strings.Cut(rest, "\n")
	if !ended {
		return Report{}, false, nil
	}
	err = json.NewDecoder(strings.NewReader(line)).Decode(&r)
	return r, true, err
}
