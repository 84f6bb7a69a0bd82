// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"time"

	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// found is what a host offers to read domains with.
type found struct {
	// source is the task iterator, or nil.
	source *taskiter.Source
	// attribute reports whether the attribute is to be read: by the stage that
	// serves, which opens it anew.
	attribute bool
	// kernel is what was found out about the kernel; nil if there is no source.
	kernel *scan.Kernel
	// tried are the sources that were tried: why each cannot be used, or empty.
	tried map[string]string
	// failure is why there is no source at all, or nil.
	failure error
}

// findSources opens what --source asks for. Only what cannot be mended in the
// kernel is an error that ends the start; see missingPrivilege. ruleTime is how
// long a scan may read rules; 0 for a daemon.
func (s *settings) findSources(ruleTime time.Duration) (*found, error) {
	f := &found{tried: map[string]string{}}
	var iterErr, attrErr error
	if s.source != sources.ProcAttr {
		f.source, iterErr = taskiter.Open(taskiter.Options{SysFS: s.sysfs, RuleTime: ruleTime})
		f.note(sources.TaskIter, iterErr)
		if iterErr == nil {
			kernel := f.source.Kernel()
			f.kernel = &kernel
		}
	}
	// Where there is no Landlock, the attribute's source needs neither the
	// attribute nor BPF: it reads /proc, and every process is unsandboxed.
	if s.source == sources.ProcAttr || s.source == sources.Compare || f.source == nil {
		var kernel *scan.Kernel
		kernel, attrErr = s.tryAttribute(f.kernel)
		if f.attribute = attrErr == nil; f.attribute {
			f.kernel = kernel
		}
		f.note(sources.ProcAttr, attrErr)
	}
	if f.source == nil && !f.attribute {
		f.failure = iterErr
		if s.source == sources.ProcAttr {
			f.failure = attrErr
		}
		if missingPrivilege(f.failure) {
			return nil, f.failure
		}
	}
	return f, nil
}

// favour reads some processes in full, however much there is to read of others of
// their users.
func (f *found) favour(pids []int32) {
	if f.source != nil && len(pids) > 0 {
		f.source.Favour(pids)
	}
}

func (f *found) note(source string, err error) {
	f.tried[source] = ""
	if err != nil {
		f.tried[source] = scan.FailureReason(err)
	}
}

// tryAttribute returns what the attribute's source knows of the kernel, if it
// opens.
func (s *settings) tryAttribute(known *scan.Kernel) (*scan.Kernel, error) {
	src, err := s.openAttribute(known)
	if err != nil {
		return nil, err
	}
	kernel := src.Kernel()
	return &kernel, src.Close()
}

// openAttribute opens the attribute's source; known is what is known of the kernel
// already, or nil.
func (s *settings) openAttribute(known *scan.Kernel) (*procattr.Source, error) {
	return procattr.Open(procattr.Options{ProcFS: s.procfs, SysFS: s.sysfs, Kernel: known})
}

// reader returns what scans are made with in this process; kernel is what the stage
// that found the sources knows of it. It never fails: a source that cannot be opened
// any more fails each scan.
func (s *settings) reader(
	iterator *taskiter.Source, attribute bool, kernel *scan.Kernel, failure error,
) scan.Source {
	if !attribute {
		if iterator == nil {
			return scan.Unusable(failure)
		}
		return iterator
	}
	attr, err := s.openAttribute(kernel)
	switch {
	case err != nil && iterator == nil:
		return scan.Unusable(err)
	case err != nil:
		s.logger.Error("The attribute cannot be read any more; the task iterator goes on alone", "err", err)
		return iterator
	case iterator == nil:
		if !attr.UsersKnown() {
			s.logger.Warn("Users of processes are not known", "reason", usersNotKnown)
		}
		return attr
	default:
		return sources.NewBoth(iterator, attr, s.logger)
	}
}

// usersNotKnown is why there are no user IDs.
const usersNotKnown = "in a user namespace of its own procfs tells other IDs than the host's"

// disagreements returns the counter of a reader that compares two sources; nil
// if it does not.
func disagreements(reader scan.Source) func() uint64 {
	if both, ok := reader.(*sources.Both); ok {
		return both.Disagreements
	}
	return nil
}

// failureReasons are what scans may fail with, for counters that exist from the start.
func failureReasons() []string { return append(procattr.Reasons(), taskiter.Reasons()...) }

// missingPrivilege reports whether an error of opening a source is one that ends
// the start: what the operator can mend by starting landlockd otherwise. What
// lies in the kernel leaves the daemon up, so that one query over the fleet
// shows more than many crash loops.
func missingPrivilege(err error) bool {
	var e *scan.Error
	return errors.As(err, &e) && (e.Reason == taskiter.NoCapability || e.Reason == taskiter.Refused)
}
