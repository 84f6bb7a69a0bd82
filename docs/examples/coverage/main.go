// SPDX-License-Identifier: Apache-2.0

// Coverage prints how many of this host's processes are sandboxed. It needs CAP_BPF and
// CAP_PERFMON.
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

func main() {
	source, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	snap, err := source.Scan(context.Background())
	if err != nil {
		log.Fatal(err) //nolint:gocritic // the source ends with the process
	}
	n := snap.Count().Processes
	fmt.Printf("%d of %d processes are sandboxed, %d in part; of %d that is not known\n",
		n.Of(scan.Sandboxed), n.Total(), n.Of(scan.Partial), n.Of(scan.Unknown))
}
