// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"io"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/landlockd/landlockd/internal/doctor"
)

// examine reports what works on this host.
type examine struct {
	*globals
	lookLimit
	report bool
}

func (d *examine) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("doctor", "Show what works on this host, what does not, why, and what to do.")
	c.Flag("report", "Add what developers need to know of a kernel that they have not tried: "+
		"no names, no paths.").BoolVar(&d.report)
	d.mounts(c)
	d.rootfs(c)
	d.lookLimit.flags(c)
	return c
}

func (d *examine) validate() error {
	return cmp.Or(d.globals.validate(), d.lookLimit.validate())
}

func (d *examine) run(out io.Writer) error {
	o := doctor.Options{
		ProcFS: d.sources.ProcFS, SysFS: d.sources.SysFS, RootFS: d.sources.RootFS,
		Address: defaultAddress,
	}
	limit, cancel := d.begin()
	defer cancel()
	works, err := inTime(limit, "what comes next", func() (bool, error) {
		works, err := doctor.Examine(out, o)
		if err == nil && d.report {
			err = doctor.Report(out, o, "landlockd "+version.Info())
		}
		return works, err
	})
	if err != nil {
		return err
	}
	if !works {
		return quietError{errors.New("this host cannot be scanned")}
	}
	return nil
}
