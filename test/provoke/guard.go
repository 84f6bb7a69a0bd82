// SPDX-License-Identifier: Apache-2.0

package provoke

import (
	"errors"
	"fmt"
	"io"
	"os/exec"

	"github.com/landlockd/landlockd/internal/denials/audit"
)

// Guard switches audit on, says "on", waits until its input ends, and sets audit as
// it was. It is for a process of its own, so that audit is restored however a test
// ends.
func Guard(in io.Reader, out io.Writer) (err error) {
	before, err := audit.ReadState()
	if err != nil {
		return err
	}
	if before.Daemon != 0 {
		return fmt.Errorf("an audit daemon runs here (%d): its configuration is not a test's to change", before.Daemon)
	}
	defer func() {
		err = errors.Join(err, SetAudit(Audit{Enabled: before.Enabled, RateLimit: before.RateLimit, BacklogLimit: before.BacklogLimit}))
	}()
	// With this backlog the kernel itself loses nothing of what tests provoke.
	if err := SetAudit(Audit{Enabled: true, BacklogLimit: 65536}); err != nil {
		return err
	}
	fmt.Fprintf(out, "on\n")
	_, err = io.Copy(io.Discard, in)
	return err
}

// SwitchOn starts a command that calls Guard with its standard input and output, and
// waits until audit is on. restore ends it, and fails if audit is not as it was.
func SwitchOn(cmd *exec.Cmd) (restore func() error, err error) {
	before, err := audit.ReadState()
	if err != nil {
		return nil, err
	}
	guard, err := start(cmd, "on")
	if err != nil {
		return nil, fmt.Errorf("the guard of audit: %w", err)
	}
	return func() error {
		if err := guard.Stop(); err != nil {
			return fmt.Errorf("the guard of audit: %w", err)
		}
		after, err := audit.ReadState()
		after.Lost, after.Backlog = before.Lost, before.Backlog
		if err != nil || after != before {
			return fmt.Errorf("audit is %+v (%w), it was %+v", after, err, before)
		}
		return nil
	}, nil
}
