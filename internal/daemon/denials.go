// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/denials/audit"
	"github.com/landlockd/landlockd/internal/denials/trace"
	"github.com/landlockd/landlockd/scan"
)

// denialsHandoff is how denials are read one by one. The zero value: not at all.
type denialsHandoff struct {
	// Way is one of the words of scan.SourceInfo.Denials, or empty.
	Way string `json:"way,omitempty"`
	// Files is the number of descriptors.
	Files int `json:"files,omitempty"`
	// Enabled reports whether audit was on.
	Enabled bool `json:"enabled,omitempty"`
}

// check refuses what no first stage leaves.
func (d denialsHandoff) check() error {
	ok := false
	switch d.Way {
	case "":
		ok = d.Files == 0
	case scan.DenialsAudit:
		ok = d.Files >= 1 && d.Files <= audit.MaxFiles
	case scan.DenialsTracepoints:
		ok = d.Files == trace.NumFiles
	}
	if !ok {
		return fmt.Errorf("denials are read by %.20q with %d descriptors", d.Way, d.Files)
	}
	return nil
}

// openDenials opens the best way that this kernel has. Where there is none, the
// daemon starts nevertheless: the kernel's counts are there without.
func openDenials(o Options, types *btf.Cache) (denialsHandoff, []*os.File) {
	if !o.Denials {
		return denialsHandoff{}, nil
	}
	files, traceErr := trace.Open(types)
	if traceErr == nil {
		return denialsHandoff{Way: scan.DenialsTracepoints, Files: len(files)}, files
	}
	f, err := audit.Open()
	switch {
	case errors.Is(err, audit.ErrNetNS):
		o.Logger.Warn("Denials are not counted one by one", "reason", err)
		return denialsHandoff{}, nil
	case err != nil:
		o.Logger.Debug("Denials are not counted one by one", "tracepoints", traceErr, "audit", err)
		return denialsHandoff{}, nil
	}
	lost, err := audit.OpenLost(types)
	if err != nil {
		o.Logger.Debug("Audit records that the kernel loses are not counted", "err", err)
	}
	files = append([]*os.File{f}, lost...)
	// Whoever may not ask resolves out as soon as something is denied.
	state, err := audit.ReadState()
	enabled := err == nil && state.Enabled
	return denialsHandoff{Way: scan.DenialsAudit, Files: len(files), Enabled: enabled}, files
}

// openMonitor returns what counts denials; nil if they are not to be counted.
func (d *Daemon) openMonitor() (*denials.Monitor, error) {
	if !d.o.Denials {
		return nil, nil
	}
	workloads := &d.o.Metrics.Workloads
	options := denials.Options{
		WorkloadLimit: workloads.Limit, HideWorkloads: workloads.Hide, Named: workloads.Named,
	}
	var err error
	switch files := d.denialFiles; d.denials.Way {
	case scan.DenialsAudit:
		options.Feed, err = audit.NewReader(files[0], files[1:], d.denials.Enabled)
	case scan.DenialsTracepoints:
		options.Feed, err = trace.NewReader(files)
	}
	if err != nil {
		return nil, fmt.Errorf("read denials: %w", err)
	}
	return denials.NewMonitor(options), nil
}
