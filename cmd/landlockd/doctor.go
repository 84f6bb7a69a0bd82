// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/internal/view"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// The marks in front of a finding.
const (
	markOK   = "ok"
	markNote = "note"
	markFail = "FAIL"
)

// findings are what doctor prints, in order.
type findings struct {
	w      io.Writer
	failed bool
	err    error
}

func (f *findings) add(mark, what, text string) {
	f.failed = f.failed || mark == markFail
	if f.err == nil {
		_, f.err = fmt.Fprintf(f.w, "%-6s %-18s %s\n", "["+mark+"]", what, untrusted.OneLine(text))
	}
}

// doctor reports what works on this host. It fails if nothing can be scanned. One
// source is enough: the other is a note then.
func (s *settings) doctor(w io.Writer) error {
	f := &findings{w: w}
	kernel := f.probe(s.sysfs)
	iter, iterErr := taskiter.Open(taskiter.Options{SysFS: s.sysfs})
	attr, attrErr := s.openAttribute(kernel)
	f.iterator(iter, iterErr, attrErr == nil)
	if kernel != nil && kernel.Landlock != scan.Enabled {
		f.withoutLandlock(attrErr)
	} else {
		f.attribute(attr, attrErr, iterErr == nil)
	}
	switch {
	case iterErr == nil:
		f.scan(iter, s.procfs)
	case attrErr == nil:
		f.scan(attr, s.procfs)
	}
	switch {
	case iterErr != nil && attrErr != nil:
		f.add(markNote, "denials", "whether this kernel counts them is not known: no source works")
	case iterErr != nil:
		f.add(markNote, "denials", "not counted: only the task iterator reads the kernel's counters")
	case iter.Info().Denials == scan.DenialsNone:
		f.add(markNote, "denials", "this kernel does not count them (Linux 6.15, with CONFIG_AUDIT)")
	}
	f.denials()
	if iterErr == nil {
		iter.Close()
	}
	if attrErr == nil {
		attr.Close()
	}
	f.add(markNote, "listening", "on "+defaultAddress+" unless told otherwise: --web.listen-address=:10644 opens the metrics to other hosts, --web.config.file adds TLS and authentication")
	if f.err != nil {
		return fmt.Errorf("write the result: %w", f.err)
	}
	if s.full {
		if err := s.report(w); err != nil {
			return err
		}
	}
	if f.failed {
		return quietError{errors.New("this host cannot be scanned")}
	}
	return nil
}

func (f *findings) iterator(src *taskiter.Source, err error, other bool) {
	if err != nil {
		f.add(worse(other), "task iterator", err.Error())
		return
	}
	info := src.Info()
	text := "loaded"
	if off := src.CredentialsOffset(); off >= 0 {
		text += fmt.Sprintf("; Landlock's part of the credentials is at byte %d", off)
	}
	f.add(markOK, "task iterator", text)
	f.add(markOK, "facts", fmt.Sprintf("IDs: %s, lineage: %s, rules: %s, denials: %s", info.IDs, info.Lineage, info.Rules, info.Denials))
	if src.Unprivileged() {
		f.add(markOK, "serving", "needs no capability")
	} else {
		f.add(markNote, "serving", "keeps CAP_BPF: this kernel wants it for every scan (before Linux 5.19)")
	}
	if info.PIDNS != "init" {
		f.add(markFail, "PID namespace", "an inner one: only its processes are seen; run landlockd in the host's (hostPID, --pid=host)")
	} else {
		f.add(markOK, "PID namespace", "the initial one: every process of the host is in it")
	}
}

func (f *findings) attribute(src *procattr.Source, err error, other bool) {
	if err != nil {
		f.add(worse(other), "attribute", err.Error())
		return
	}
	info := src.Info()
	f.add(markOK, "attribute", fmt.Sprintf("/proc/PID/%s, form: %s; IDs: %s, lineage: %s", src.File(), src.Form(), info.IDs, info.Lineage))
	if h, err := src.HidePID(); err == nil && h != "off" {
		f.add(markNote, "procfs", fmt.Sprintf("mounted with hidepid (%s): landlockd needs CAP_SYS_PTRACE to see others' processes there", h))
	}
	if !src.UsersKnown() {
		f.add(markNote, "users", "not known: "+usersNotKnown)
	}
	if n := src.OwnDepth(); n > 0 {
		f.add(markNote, "attribute", fmt.Sprintf("this process is in %d domains: it may only look into domains nested in its own", n))
	}
}

// worse is the mark of a source that does not work.
func worse(otherWorks bool) string {
	if otherWorks {
		return markNote
	}
	return markFail
}

// scan scans, and compares what came with what procfs shows.
func (f *findings) scan(src scan.Source, proc string) {
	before := userProcesses(proc)
	snap, err := src.Scan(context.Background())
	if err != nil {
		f.add(markFail, "scan", err.Error())
		return
	}
	after := userProcesses(proc)
	f.add(markOK, "scan", fmt.Sprintf("%s (%s)", view.Summary(snap), snap.Duration.Round(1000)))
	if left := view.Unread(snap); left != "" {
		f.add(markNote, "scan", left)
	}
	var missing []string
	for pid, start := range before {
		if after[pid] == start && snap.Find(int32(pid)) == nil {
			missing = append(missing, fmt.Sprint(pid))
		}
	}
	if len(missing) > 0 {
		const show = 5
		list := strings.Join(missing[:min(show, len(missing))], ", ")
		if len(missing) > show {
			list += ", ..."
		}
		f.add(markNote, "compared to procfs", fmt.Sprintf(
			"the kernel leaves out %d of the processes below %s (%s): nothing is known of those, and they are counted nowhere", len(missing), proc, list))
	} else {
		f.add(markOK, "compared to procfs", fmt.Sprintf("all %d processes below %s were found", len(before), proc))
	}
}

// userProcesses returns the start times of all processes that procfs shows, without
// kernel threads and zombies, by PID.
func userProcesses(proc string) map[int]uint64 {
	found := map[int]uint64{}
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return found
	}
	all, err := fs.AllProcs()
	if err != nil {
		return found
	}
	const pfKthread = 0x00200000
	for _, p := range all {
		st, err := p.Stat()
		if err == nil && st.Flags&pfKthread == 0 && st.State != "Z" && st.State != "X" {
			found[p.PID] = st.Starttime
		}
	}
	return found
}
