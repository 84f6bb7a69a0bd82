// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"github.com/landlockd/landlockd/test/sandbox"
)

// roles are what this program does in a process of its own.
var roles map[string]func([]string)

func init() {
	roles = map[string]func([]string){
		"run":          runChecks,
		"sleep":        sleep,
		"sleep-nested": sleepNested,
		"read":         readDomains,
		"read-self":    readSelf,
		"as-nobody":    asNobody,
		"iterate":      iterate,
		"resume":       resume,
		"attr-scan":    attrScan,
		"provoke":      provokeRole,
		"boxed":        boxed,
		"connect":      connect,
		"activate":     activate,
		"selftest":     selftest,
	}
}

// exit ends a role that failed.
func exit(what string, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, what+":", err)
		os.Exit(1)
	}
}

// sleep says that it runs, and lives until its standard input ends.
func sleep([]string) {
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// sleepNested sleeps in a domain nested in the one it was started in.
func sleepNested(args []string) {
	depth, err := strconv.Atoi(args[0])
	if err == nil {
		err = sandbox.Harmless(depth).Enter()
	}
	if err == nil {
		// The main goroutine has the main thread, and an exec makes it the only one.
		err = syscall.Exec(self, []string{self, "sleep"}, nil)
	}
	exit("sleep nested", err)
}

// readDomains prints what the domain attribute of each process says.
func readDomains(args []string) {
	for _, a := range args {
		fmt.Println(domainOf(atoi(a)))
	}
}

// readSelf prints what the process's own attribute says, read by itself.
func readSelf([]string) {
	runtime.LockOSThread()
	fmt.Println(readAttribute("self/attr/landlock/domain"))
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	exit("arguments", err)
	return n
}
