// SPDX-License-Identifier: Apache-2.0

// Command test-kernels boots guests with many kernels under QEMU and runs the
// project's checks in them. See test/kernels/README.md.
package main

import (
	"flag"
	"time"

	"github.com/landlockd/landlockd/test/kernels"
	"github.com/landlockd/landlockd/test/programs"
	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/kernel"
)

func main() {
	var o kernels.Options
	flag.Var(&o.Guests, "guests", "boot only guests whose name matches this regular expression (6.12, 7.3-arm64, 6.12-patched)")
	flag.Var(&o.Boots, "boots", "run only boots whose name matches this regular expression (default, landlock-off)")
	flag.IntVar(&o.Jobs, "jobs", 2, "guests that run at a time")
	flag.BoolVar(&o.Record, "record", false, "record what guests state for docs/kernels.md, in place of comparing it with what is recorded")
	flag.StringVar(&o.Selftests, "selftests", "", "write what the kernel's own tests came to into this page")
	vm.Command{
		Name:    "kernels",
		Timeout: 5 * time.Minute,
		Tools:   []map[string]string{vm.Tools, kernels.Tools, kernel.StockTools, kernel.PatchedTools, kernel.SelftestTools, programs.Tools},
		List:    kernels.List,
		Run:     o.Run,
	}.Main()
}
