// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// found is what a host offers to read domains with.
type found struct {
	// source is the task iterator, or nil.
	source *taskiter.Source
	// attribute says that the attribute is to be read: by the stage that
	// serves, which opens it anew.
	attribute bool
	// tried are the sources that were tried: why each cannot be used, or empty.
	tried map[string]string
	// failure is why there is no source at all, or nil.
	failure error
}

// findSources opens what --source asks for. Only what cannot be mended in the
// kernel is an error that ends the start; see missingPrivilege.
func (s *settings) findSources() (*found, error) {
	f := &found{tried: map[string]string{}}
	var iterErr, attrErr error
	if s.source != sources.ProcAttr {
		f.source, iterErr = taskiter.Open(taskiter.Options{SysFS: s.sysfs})
		f.note(sources.TaskIter, iterErr)
	}
	if s.source == sources.ProcAttr || s.source == sources.Compare || f.source == nil {
		attrErr = s.tryAttribute()
		f.attribute = attrErr == nil
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

func (f *found) note(source string, err error) {
	f.tried[source] = ""
	if err != nil {
		f.tried[source] = scan.FailureReason(err)
	}
}

func (s *settings) tryAttribute() error {
	src, err := s.openAttribute()
	if err != nil {
		return err
	}
	return src.Close()
}

func (s *settings) openAttribute() (*procattr.Source, error) {
	return procattr.Open(procattr.Options{ProcFS: s.procfs, SysFS: s.sysfs})
}

// reader returns what scans are made with in this process. It never fails: a
// source that cannot be opened any more fails each scan.
func (s *settings) reader(iterator *taskiter.Source, attribute bool, failure error) scan.Source {
	if !attribute {
		if iterator == nil {
			return scan.Unusable(failure)
		}
		return iterator
	}
	attr, err := s.openAttribute()
	switch {
	case err != nil && iterator == nil:
		return scan.Unusable(err)
	case err != nil:
		s.logger.Error("The attribute cannot be read any more; the task iterator goes on alone", "err", err)
		return iterator
	case iterator == nil:
		return attr
	default:
		return sources.NewBoth(iterator, attr, s.logger)
	}
}

// disagreements returns the counter of a reader that compares two sources; nil
// if it does not.
func disagreements(reader scan.Source) func() uint64 {
	if both, ok := reader.(*sources.Both); ok {
		return both.Disagreements
	}
	return nil
}

// failureReasons are what scans may fail with, for counters that exist from the start.
func failureReasons() []string {
	all := procattr.Reasons()
	reasons := make([]string, 0, len(all)+2)
	for _, r := range all {
		reasons = append(reasons, string(r))
	}
	return append(reasons, string(taskiter.Read), string(taskiter.Refused))
}

// missingPrivilege says whether an error of opening a source is one that ends
// the start: what the operator can mend by starting landlockd otherwise. What
// lies in the kernel leaves the daemon up, so that one query over the fleet
// tells more than many crash loops.
func missingPrivilege(err error) bool {
	var e *taskiter.Error
	return errors.As(err, &e) && (e.Reason == taskiter.NoCapability || e.Reason == taskiter.Refused)
}

// failure is a source's failure that came from another process: the stage that
// opened it.
type failure struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func newFailure(err error) *failure {
	return &failure{Reason: scan.FailureReason(err), Message: err.Error()}
}

func (f *failure) Error() string         { return f.Message }
func (f *failure) FailureReason() string { return f.Reason }

var _ scan.Failure = (*failure)(nil)
