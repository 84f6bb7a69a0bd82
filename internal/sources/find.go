// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"errors"
	"log/slog"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/internal/reader"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// UsersNotKnown is why processes have no user IDs; see procattr.Source.UsersKnown.
const UsersNotKnown = "in a user namespace of its own procfs shows other IDs than the host's"

// Options are which sources to look for, and where.
type Options struct {
	// Kind is one of [Kinds]; Auto if empty.
	Kind string
	// ProcFS and SysFS are where these are mounted; the usual places if empty.
	ProcFS, SysFS string
	// RootFS is what paths of assets begin at: where the host's root directory is mounted in
	// a container, or empty.
	RootFS string
	// RuleTime is how long a scan may read rules of domains; 0 is for a daemon, whose
	// next scan goes on.
	RuleTime time.Duration
	// Types and Calibrated are those of [taskiter.Options].
	Types      *btf.Cache
	Calibrated func(taskiter.Layout)
	// Logger gets what a [Found.Reader] has to do without.
	Logger *slog.Logger
}

// Found is what a host offers to read domains with.
type Found struct {
	// Iterator is the task iterator, or nil.
	Iterator *taskiter.Source
	// Attribute reports whether the attribute is to be read.
	Attribute bool
	// Remote reads the attribute in another process; if nil, Reader does in this one.
	Remote scan.Source
	// Kernel is what was found out about the kernel; nil if there is no source.
	Kernel *scan.Kernel
	// Tried are the sources that were tried: why each cannot be used, or empty.
	Tried map[string]string
	// Failure is why there is no source at all, or nil.
	Failure error
}

// Find opens what the options ask for. What lies in the kernel is a Failure, so that
// a daemon can stay up and one query over the fleet shows more than many crash loops.
// An error is a missing privilege: the operator can mend it by another start.
func Find(o Options) (*Found, error) {
	f := &Found{Tried: map[string]string{}}
	var iterErr, attrErr error
	if o.Kind != ProcAttr {
		f.Iterator, iterErr = taskiter.Open(taskiter.Options{
			SysFS: o.SysFS, RuleTime: o.RuleTime, Types: o.Types, Calibrated: o.Calibrated,
		})
		f.note(TaskIter, iterErr)
		if iterErr == nil {
			kernel := f.Iterator.Kernel()
			f.Kernel = &kernel
		}
	}
	// Where there is no Landlock, the attribute's source needs neither the
	// attribute nor BPF: it reads /proc, and every process is unsandboxed.
	if o.Kind == ProcAttr || o.Kind == Compare || f.Iterator == nil {
		var kernel *scan.Kernel
		kernel, attrErr = o.tryAttribute(f.Kernel)
		if f.Attribute = attrErr == nil; f.Attribute {
			f.Kernel = kernel
		}
		f.note(ProcAttr, attrErr)
	}
	if f.Iterator == nil && !f.Attribute {
		f.Failure = iterErr
		if o.Kind == ProcAttr {
			f.Failure = attrErr
		}
		if missingPrivilege(f.Failure) {
			return nil, f.Failure
		}
	}
	return f, nil
}

func (f *Found) note(source string, err error) {
	f.Tried[source] = ""
	if err != nil {
		f.Tried[source] = scan.FailureReason(err)
	}
}

// tryAttribute returns what the attribute's source knows of the kernel, if it
// opens.
func (o Options) tryAttribute(known *scan.Kernel) (*scan.Kernel, error) {
	src, err := o.openAttribute(known)
	if err != nil {
		return nil, err
	}
	kernel := src.Kernel()
	return &kernel, src.Close()
}

// openAttribute opens the attribute's source; known is what is known of the kernel
// already, or nil.
func (o Options) openAttribute(known *scan.Kernel) (*procattr.Source, error) {
	return procattr.Open(procattr.Options{ProcFS: o.ProcFS, SysFS: o.SysFS, Kernel: known})
}

// OpenAttribute opens the attribute's source to make scans with, on a kernel that is known.
func (o Options) OpenAttribute(kernel *scan.Kernel) (*procattr.Source, error) {
	src, err := o.openAttribute(kernel)
	if err == nil && !src.UsersKnown() && o.Kind != Compare {
		o.Logger.Warn("Users of processes are not known", "reason", UsersNotKnown)
	}
	return src, err
}

// NoAttribute notes that the attribute cannot be read after all.
func (f *Found) NoAttribute(err error) {
	f.Attribute = false
	f.note(ProcAttr, err)
	if f.Iterator == nil {
		f.Failure = err
	}
}

// missingPrivilege reports whether an error of opening a source is one that the
// operator can mend by starting landlockd otherwise.
func missingPrivilege(err error) bool {
	var e *scan.Error
	return errors.As(err, &e) && (e.Reason == taskiter.NoCapability || e.Reason == taskiter.Refused)
}

// Reader returns what scans are made with. A source that cannot be
// opened any more fails each scan.
func (f *Found) Reader(o Options) scan.Source {
	if !f.Attribute {
		if f.Iterator == nil {
			return scan.Unusable(f.Failure)
		}
		return f.Iterator
	}
	attr, err := f.Remote, error(nil)
	if attr == nil {
		attr, err = o.OpenAttribute(f.Kernel)
	}
	switch {
	case err != nil && f.Iterator == nil:
		return scan.Unusable(err)
	case err != nil:
		o.Logger.Error("The attribute cannot be read any more; the task iterator goes on alone",
			"err", err)
		return f.Iterator
	case f.Iterator == nil:
		return attr
	default:
		return NewBoth(f.Iterator, attr, o.Logger)
	}
}

// Favour reads some processes in full, however much there is to read of others of
// their users.
func (f *Found) Favour(pids []int32) {
	if f.Iterator != nil && len(pids) > 0 {
		f.Iterator.Favour(pids)
	}
}

// FailureReasons are what scans may fail with, for counters that exist from the start.
func FailureReasons() []string {
	return append(append(procattr.Reasons(), taskiter.Reasons()...), reader.Reason)
}
