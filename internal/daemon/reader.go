// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/reader"
	"github.com/landlockd/landlockd/internal/seccomp"
	"github.com/landlockd/landlockd/scan"
)

// greetingTime is how long the serving stage waits for the reader: on a busy host it starts
// as slowly as all else.
const greetingTime = 30 * time.Second

// startReader starts the process that reads the attribute.
func (d *Daemon) startReader() error {
	h := besideHandoff{Role: reads, Kernel: *d.found.Kernel, Goal: d.goal}
	h.NoLandlock = true
	var err error
	h.Keep, err = readerKeeps(h.Kernel.Landlock, confine.Permitted(unix.CAP_SYS_PTRACE))
	if err == nil {
		d.attribute, _, err = d.startBeside(h)
	}
	return err
}

// readerKeeps returns the capabilities of the reader. Without Landlock it only serves to read
// what else there is of others' processes, such as their executables.
func readerKeeps(landlock scan.Availability, permitted bool) ([]int, error) {
	switch {
	case permitted:
		return []int{unix.CAP_SYS_PTRACE}, nil
	case landlock == scan.Enabled:
		return nil, errors.New("the attribute shows other users' tasks only to whoever has " +
			"CAP_SYS_PTRACE: start landlockd with it (docs/install.md), or with --source=taskiter")
	default:
		return nil, nil
	}
}

// meetReader waits until the reader is ready, in the serving stage. What holds of one of
// both processes alone does not hold. One that says why it cannot read is done without; one that
// does not come is an error: users can delay a start, or leave no process ID for it, and another
// start mends that.
func (d *Daemon) meetReader() error {
	if d.attribute == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), greetingTime)
	defer cancel()
	conn, err := net.FileConn(d.attribute)
	d.attribute.Close()
	if err == nil {
		var source *reader.Source
		if source, err = reader.Open(ctx, conn, *d.found.Kernel); err == nil {
			d.status = d.status.And(source.Greeting().Status)
			d.found.Remote, d.readerGone = source, source.Gone()
			return nil
		}
		conn.Close() // the reader ends
	}
	if scan.FailureReason(err) == reader.Reason {
		return fmt.Errorf("%w (%w)", errReaderGone, err)
	}
	d.o.Logger.Error("The attribute cannot be read", "err", err)
	d.found.NoAttribute(err)
	return nil
}

// errReaderGone ends the serving stage: it may start no other process.
var errReaderGone = errors.New("the process that reads the attribute is gone: landlockd " +
	"must be started again, which service managers do")

// read is the reader, confined.
func (h *besideHandoff) read(o Options) error {
	var g reader.Greeting
	status, socket, err := h.begin(o, seccomp.Reading())
	if err != nil {
		return err
	}
	g.Status = status
	source, err := o.Sources.OpenAttribute(&h.Kernel)
	if err != nil {
		g.Failure = scan.Flatten(err)
		return reader.Serve(socket, g, scan.Unusable(err))
	}
	g.Source = source.Info()
	return reader.Serve(socket, g, &thrifty{Source: source})
}
