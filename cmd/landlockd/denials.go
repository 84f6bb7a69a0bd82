// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

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
func (s *settings) openDenials() (denialsHandoff, []*os.File) {
	if !s.denials {
		return denialsHandoff{}, nil
	}
	files, traceErr := trace.Open()
	if traceErr == nil {
		return denialsHandoff{Way: scan.DenialsTracepoints, Files: len(files)}, files
	}
	f, err := audit.Open()
	if errors.Is(err, audit.ErrNetNS) {
		s.logger.Warn("Denials are not counted one by one", "reason", err)
		return denialsHandoff{}, nil
	}
	if err != nil {
		s.logger.Debug("Denials are not told one by one", "tracepoints", traceErr, "audit", err)
		return denialsHandoff{}, nil
	}
	lost, err := audit.OpenLost()
	if err != nil {
		s.logger.Debug("Audit records that the kernel loses are not counted", "err", err)
	}
	files = append([]*os.File{f}, lost...)
	// Whoever may not ask finds out as soon as something is denied.
	state, err := audit.ReadState()
	return denialsHandoff{Way: scan.DenialsAudit, Files: len(files), Enabled: err == nil && state.Enabled}, files
}

// monitor returns what counts denials, or nil.
func (s *settings) monitor(d denialsHandoff, files []*os.File) (*denials.Monitor, error) {
	if !s.denials {
		return nil, nil
	}
	options := denials.Options{
		WorkloadLimit: s.workloads.limit, HideWorkloads: !s.workloads.series, Named: s.workloads.named,
	}
	var err error
	switch d.Way {
	case scan.DenialsAudit:
		options.Feed, err = audit.NewReader(files[0], files[1:], d.Enabled)
	case scan.DenialsTracepoints:
		options.Feed, err = trace.NewReader(files)
	}
	if err != nil {
		return nil, fmt.Errorf("read denials: %w", err)
	}
	return denials.NewMonitor(options), nil
}

// named reports whether a workload of this name may have series of its own.
func (w *workloadSettings) named(name string) bool {
	o := &w.options
	return (o.Include == nil || o.Include.MatchString(name)) && (o.Exclude == nil || !o.Exclude.MatchString(name))
}

// What an operator would do to have denials in the audit log.
const auditHint = "to have them in the audit log, and so counted by blocker and workload: auditctl -e 1, with auditd running (apt install auditd). " +
	"What it costs: some four records for each denial, and for all else that the audit rules name; without auditd they fill the kernel's log; " +
	"when the backlog is full, Landlock's are lost and the denied process waits for room for the others (auditctl -b 8192 makes it longer). " +
	"By default nothing is logged of programs that a sandboxed launcher executes"

// denials reports how denials are read one by one here. It opens what the daemon
// would, and changes nothing.
func (f *findings) denials() {
	files, err := trace.Open()
	if err == nil {
		for _, file := range files {
			file.Close()
		}
		f.add(markOK, "denials", "told one by one by the kernel's tracepoints")
		return
	}
	if !errors.Is(err, scan.ErrAbsent) {
		f.add(markNote, "denials", err.Error())
	}
	file, err := audit.Open()
	if err != nil {
		f.add(markNote, "denials", "not told one by one: "+err.Error())
		return
	}
	file.Close()
	state, err := audit.ReadState()
	switch {
	case errors.Is(err, unix.EPERM):
		f.add(markNote, "denials", "told one by one if audit is on, which only CAP_AUDIT_CONTROL may ask; "+auditHint)
	case err != nil:
		f.add(markNote, "denials", "told one by one if audit is on: "+err.Error())
	case !state.Enabled:
		f.add(markNote, "denials", "not told one by one: audit is off; "+auditHint)
	default:
		text := fmt.Sprintf("told one by one by the audit log (audit daemon: %d, backlog limit %d, rate limit %d)", state.Daemon, state.BacklogLimit, state.RateLimit)
		if state.Lost > 0 {
			text += fmt.Sprintf("; it has lost %d records since boot: auditctl -b makes the backlog longer", state.Lost)
		}
		f.add(markOK, "denials", text)
	}
}
