// SPDX-License-Identifier: Apache-2.0

// Package procattr reads the Landlock domain of every task from
// /proc/[pid]/task/[tid]/attr/landlock/domain, on kernels that have this file.
// No mainline kernel has; a patch is needed. Every form in which such a file
// has been proposed is understood.
//
// [Open] learns the form from threads that it sandboxes itself. Then a
// [Source.Scan] needs no more than the right to look at other processes:
// CAP_SYS_PTRACE, or the same user. What the kernel refuses to show is unknown,
// reason denied. The reader must not be in a Landlock domain itself, for then
// it may only look at domains nested in its own.
//
// What depends on the mount: with hidepid=2 or 4 other users' processes are not
// there at all ([Source.HidePID]); with hidepid=1 they are there, and nothing
// is known of them but their number and user, kernel threads among them.
//
// Users, no_new_privs and seccomp are those of every thread. Threads that the
// kernel made for a process (io_uring, vhost) are its workers: the file shows one
// of their two sets of credentials, and the other is unknown.
//
// A process is named by PID and start time. Start times have a resolution of
// 10 ms here. Process.Exec counts the times that landlockd noticed another
// program, and not what the kernel counts.
package procattr

import (
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Source reads tasks. It implements [scan.Source].
type Source struct {
	kernel   scan.Kernel
	info     scan.SourceInfo
	file     string
	ownDepth int

	reader     *reader
	settler    settler
	identifier *identifier
	inference  *domainid.Inference // nil where IDs mean nothing over time

	scans     uint64
	processes map[int32]*entry
	fresh     entry
	pids      []dirEntry
	build     builder
}

var _ scan.Source = (*Source)(nil)

func newSource(proc int, kernel scan.Kernel) *Source {
	return &Source{kernel: kernel, reader: newReader(proc), processes: map[int32]*entry{}, build: newBuilder()}
}

// Kernel returns what was found out about the running kernel.
func (s *Source) Kernel() scan.Kernel { return s.kernel }

// Info returns how each kind of fact is obtained.
func (s *Source) Info() scan.SourceInfo { return s.info }

// Form returns in words how this kernel shows domains: "domain ID or none". It is "none"
// where Landlock is not enabled.
func (s *Source) Form() string {
	if s.reader.dialect.form == nil {
		return "none"
	}
	return s.reader.dialect.form.name
}

// File returns the path of the attribute below /proc/[pid], empty where
// Landlock is not enabled.
func (s *Source) File() string {
	if s.file == "" {
		return ""
	}
	return "attr/landlock/" + s.file
}

// OwnDepth returns how many Landlock domains this process was in when the
// source was opened. If it is not 0, only tasks in domains nested in its own can
// be read; all others are unknown, reason denied.
func (s *Source) OwnDepth() int { return s.ownDepth }

// UsersKnown reports whether the user IDs that procfs shows are those of the initial
// user namespace. Elsewhere they are not known: ^uint32(0).
func (s *Source) UsersKnown() bool { return !s.reader.foreign }

// Malformed returns what the kernel answered so far that was not understood.
func (s *Source) Malformed() Malformed { return s.reader.malformed }

// Conflicts returns how many conclusions on lineage were dropped because they
// contradict earlier ones: 0, unless the kernel reported something impossible.
func (s *Source) Conflicts() uint64 {
	if s.inference == nil {
		return 0
	}
	return s.inference.Conflicts()
}

// Close releases what the source holds.
func (s *Source) Close() error {
	s.identifier.close()
	return unix.Close(s.reader.proc)
}
