// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
)

// Options for [Open]. The zero value is right for a daemon on its host.
type Options struct {
	// ProcFS is where the host's proc file system is mounted; "/proc" if empty.
	ProcFS string
	// SysFS is where its sysfs is mounted, with the cgroup hierarchies; "/sys" if empty.
	SysFS string
	// Kernel is what was found out about the running kernel before, by whoever
	// may ask it more; nil to ask it now.
	Kernel *scan.Kernel
}

// Open finds out how this kernel shows the domains of tasks. An error is a
// *[scan.Error].
//
// A kernel without Landlock, or with Landlock not enabled, is no error: there
// the source knows that every process is unsandboxed, and needs no attribute and
// no privilege.
func Open(o Options) (*Source, error) {
	o.SysFS = cmp.Or(o.SysFS, "/sys")
	if o.Kernel == nil {
		kernel, err := landlock.Probe(o.SysFS)
		switch {
		case errors.Is(err, landlock.ErrFiltered):
			return nil, failure(Helper, "the system calls of Landlock", err, "")
		case err != nil:
			return nil, readFailed("what the kernel says of Landlock", err)
		}
		o.Kernel = &kernel
	}
	return open(o, *o.Kernel, (*probe).find)
}

func open(o Options, kernel scan.Kernel, find func(*probe) (dialect, error)) (*Source, error) {
	o.ProcFS = cmp.Or(o.ProcFS, "/proc")
	proc, err := unix.Open(o.ProcFS, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, noProcFS(o.ProcFS, err)
	}
	s := &Source{
		kernel: kernel, inference: domainid.NewInference(), processes: map[int32]*entry{},
		settler: settler{frees: kernel.ABI >= tsyncABI},
		build:   newBuilder(), reader: &reader{
			proc: proc, task: -1, dir: -1, buf: make([]byte, 4096), dents: make([]byte, 64<<10),
		},
	}
	if err := s.prepare(o, find); err != nil {
		unix.Close(proc)
		return nil, err
	}
	return s, nil
}

// tsyncABI is the first ABI with LANDLOCK_RESTRICT_SELF_TSYNC.
const tsyncABI = 8

// prepare finds out what is to be known before the first scan.
func (s *Source) prepare(o Options, find func(*probe) (dialect, error)) (err error) {
	r := s.reader
	if r.own, err = ownPID(o.ProcFS); err != nil {
		return noProcFS(o.ProcFS, err)
	}
	if r.clocks, err = scan.ReadClockOffsets(); err != nil {
		return readFailed("the clocks of this time namespace", err)
	}
	if s.kernel.Landlock == scan.Enabled {
		r.dialect, err = find(&probe{proc: r.proc, mount: o.ProcFS, limit: s.kernel.NestingLimit()})
		if err != nil {
			return err
		}
		r.attr, r.attrDir = newTaskFile("attr/landlock/"+r.dialect.file), newTaskFile("attr/landlock")
	}
	// The user namespace is the initial one also where the kernel has no others, or does
	// not give it.
	var ns unix.Stat_t
	r.foreign = unix.Stat("/proc/self/ns/user", &ns) == nil && uint32(ns.Ino) != scan.InitUserNS
	s.identifier = newIdentifier(cgroupfs.Find(o.ProcFS, filepath.Join(o.SysFS, "fs/cgroup")))
	s.identifier.host = hostPlace(r.proc)
	s.info = scan.SourceInfo{
		Name: "procattr", IDs: "none", Lineage: "none", Rules: "none", Denials: "none",
		Runs: scan.RunsNone, PIDNS: r.pidNamespace(),
	}
	switch f := r.dialect.form; {
	case f == nil:
	case f.ids:
		s.settler.ids, s.info.IDs = true, "kernel"
		if s.lasting = f.lasting; s.lasting {
			s.info.Lineage = domainid.LineageInferred.String()
		}
	case f.layers:
		s.info.Lineage = domainid.LineageKnown.String()
	}
	return nil
}

func noProcFS(path string, err error) error {
	return failure(NoProcFS, "no proc file system at "+path, err,
		"it must be that of this PID namespace or of one around it")
}

// ownPID returns this process's PID in a mount, which may be of another PID
// namespace than this process is in.
func ownPID(mount string) (int32, error) {
	link, err := os.Readlink(mount + "/self")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(link, 10, 32)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%s/self leads to %.32q, which is no PID", mount, link)
	}
	return int32(n), nil
}
