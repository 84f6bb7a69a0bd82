// SPDX-License-Identifier: Apache-2.0

// Command test-systemd boots Debian guests with systemd under QEMU and runs the
// project's checks in them. See test/systemd/README.md.
package main

import (
	"flag"
	"time"

	"github.com/landlockd/landlockd/test/systemd"
	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/kernel"
)

func main() {
	var o systemd.Options
	flag.Var(&o.Scenarios, "scenarios", "boot only scenarios whose name matches this regular expression")
	flag.StringVar(&o.Series, "kernel", "6.12", "series of the kernel")
	flag.IntVar(&o.Jobs, "jobs", 2, "guests that run at a time")
	flag.StringVar(&o.Daemon, "landlockd", "", "run this program in place of one built from the tree")
	vm.Command{
		Name:    "systemd",
		Timeout: 10 * time.Minute,
		Tools:   []map[string]string{vm.Tools, systemd.Tools, kernel.StockTools},
		List:    systemd.List,
		Run:     o.Run,
	}.Main()
}
