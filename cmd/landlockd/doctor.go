// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/doctor"
)

// examine reports what works on this host.
type examine struct {
	*globals
	report bool
}

func (d *examine) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("doctor", "Show what works on this host, what does not, why, and what to do.")
	c.Flag("report", "Add what developers need to know of a kernel that they have not tried: "+
		"no names, no paths.").BoolVar(&d.report)
	return c
}

func (d *examine) run(out io.Writer) error {
	o := doctor.Options{ProcFS: d.sources.ProcFS, SysFS: d.sources.SysFS, Address: defaultAddress}
	works, err := doctor.Examine(out, o)
	if err != nil {
		return err
	}
	if d.report {
		if err := doctor.Report(out, o, versionText()); err != nil {
			return err
		}
	}
	if !works {
		return quietError{errors.New("this host cannot be scanned")}
	}
	return nil
}
