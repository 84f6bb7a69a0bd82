// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// Source reads tasks. It implements [scan.Source].
type Source struct {
	kernel scan.Kernel
	info   scan.SourceInfo

	reader     *reader
	settler    settler
	identifier *identifier
	inference  *domainid.Inference
	lasting    bool // IDs mean something over time: the inference takes processes

	scans     uint64
	processes map[int32]*entry
	fresh     entry
	pids      []dirEntry
	build     builder
}

var _ scan.Source = (*Source)(nil)

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
	if s.reader.dialect.form == nil {
		return ""
	}
	return "attr/landlock/" + s.reader.dialect.file
}

// OwnDepth returns how many Landlock domains this process was in when the
// source was opened. If it is not 0, only tasks in domains nested in its own can
// be read; all others are unknown, reason denied.
func (s *Source) OwnDepth() int { return s.reader.dialect.own }

// UsersKnown reports whether the user IDs that procfs shows are those of the initial
// user namespace. Elsewhere they are not known: ^uint32(0).
func (s *Source) UsersKnown() bool { return !s.reader.foreign }

// Close releases what the source holds.
func (s *Source) Close() error {
	s.identifier.close()
	return unix.Close(s.reader.proc)
}
