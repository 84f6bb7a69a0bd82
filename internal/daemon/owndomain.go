// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"os"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/scan"
)

// ownScanTime is how long the start waits for a scan of its own.
const ownScanTime = 10 * time.Second

// checkDomain looks at this process as at any other: the kernel shows no process its own
// domain, and [confine.Inspect] sees only that one thread is denied something. Where a scan
// does not show more, that has to do.
func (d *Daemon) checkDomain() error {
	if d.status[confine.Landlock] != confine.Holds || len(d.refused) > 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), ownScanTime)
	defer cancel()
	snap, err := d.reader.Scan(ctx)
	if err != nil || !lacksDomain(snap, int32(os.Getpid()), d.found.Kernel.Rights.Sure) {
		return nil // that scans fail is said of each
	}
	d.status[confine.Landlock] = confine.ReadBack
	err = d.settle(d.status[confine.Seccomp] == confine.Holds)
	if len(d.refused) > 0 {
		d.reader = d.found.Reader(d.o.Sources)
	}
	return err
}

// lacksDomain reports whether landlockd itself, as a PID, is known to have a thread outside
// of domains, or one that is not restricted in all these rights. They are what the kernel
// let the first stage handle: others can have more where a filter stood in between.
func lacksDomain(snap *scan.Snapshot, pid int32, rights access.Rights) bool {
	own := snap.Find(pid)
	if own == nil || own.Comm.String() != "landlockd" || snap.Source.PIDNS != "init" {
		return false // a PID of another namespace is another process's
	}
	sandbox, in := snap.SandboxOf(own)
	return own.State == scan.Unsandboxed || own.State == scan.Partial ||
		in && !sandbox.Restricts.May.Has(rights)
}
