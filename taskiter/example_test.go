// SPDX-License-Identifier: Apache-2.0

package taskiter_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// All sandboxed processes of this host. It needs CAP_BPF and CAP_PERFMON.
func Example() {
	source, err := taskiter.Open(taskiter.Options{})
	if missing := (*scan.Error)(nil); errors.As(err, &missing) {
		log.Fatalf("%s is missing. %s", missing.Missing, missing.Hint)
	}
	defer source.Close()
	snap, err := source.Scan(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for i := range snap.Processes {
		if p := &snap.Processes[i]; p.Depth > 0 {
			fmt.Printf("%d %q is at depth %d\n", p.PID, p.Exe, p.Depth)
		}
	}
}
