// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"context"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/cgroupfs"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/scan"
)

// Open loads and attaches the programs and finds out how this kernel stores
// domains. An error is a *[scan.Error].
//
// A kernel without Landlock, or with Landlock not enabled, is no error: there
// the source knows that every process is unsandboxed.
func Open(opts Options) (*Source, error) {
	if opts.SysFS == "" {
		opts.SysFS = "/sys"
	}
	if err := checkCapabilities(); err != nil {
		return nil, err
	}
	if err := checkLockdown(opts.SysFS); err != nil {
		return nil, err
	}
	cache := cmp.Or(opts.Types, btf.NewCache())
	// It takes as long as all else until then: it goes on beside that, and is waited for below.
	go func() { _, _ = cache.Kernel() }()
	kernel, err := landlock.Probe(opts.SysFS)
	if err != nil {
		return nil, failure(scan.Error{Reason: Refused, Missing: "what the kernel says of Landlock", Err: err})
	}
	types, err := cache.Kernel()
	if err != nil {
		return nil, failure(scan.Error{
			Reason: NoBTF, Missing: "the kernel's type information (BTF, CONFIG_DEBUG_INFO_BTF)",
			Since: "5.2", Err: err,
		})
	}
	o := opener{
		types: types, cache: cache, kernel: kernel, derive: opts.DeriveIDs, ruleTime: opts.RuleTime,
		cgroupFS: opts.SysFS + "/fs/cgroup", calibrated: opts.Calibrated,
	}
	return o.open()
}

func checkLockdown(sysfs string) error {
	b, err := os.ReadFile(sysfs + "/kernel/security/lockdown")
	if err != nil {
		return nil //nolint:nilerr // securityfs need not be mounted; loading will show it
	}
	if strings.Contains(string(b), "[confidentiality]") {
		return failure(scan.Error{
			Reason: Lockdown, Missing: "the kernel is locked down for confidentiality: no BPF program may read its memory",
			Hint: "boot with lockdown=integrity, or without lockdown=",
		})
	}
	return nil
}

// opener loads the programs on a kernel whose types are known.
type opener struct {
	types  *btf.Spec
	cache  *btf.Cache           // has types: to decode them takes longer than all else
	object *ebpf.CollectionSpec // once parsed
	kernel scan.Kernel
	derive bool
	// calibrated is as in Options.
	calibrated func(Layout)
	// cgroupFS is where cgroup hierarchies are mounted.
	cgroupFS string

	ruleTime time.Duration
	// rules is how the rules of domains are stored, noRules why they cannot be
	// read.
	rules   rulesLayout
	noRules error
}

func (o *opener) open() (*Source, error) {
	if err := o.parse(); err != nil {
		return nil, err
	}
	st := state{Kernel: o.kernel}
	if err := o.resolve(&st); err != nil {
		return nil, err
	}
	st.Layout.Workers = o.workers()
	if o.kernel.Landlock == scan.Enabled {
		if o.rules, o.noRules = resolveRules(o.types); o.noRules == nil {
			st.Layout.Views = 1
		}
	}
	if err := o.calibrate(&st); err != nil {
		return nil, err
	}
	if o.derive {
		st.Layout.Derive = 1
	}
	if o.calibrated != nil {
		o.calibrated(Layout{st.Layout, st.Format})
	}
	files, err := o.loadAll(&st)
	if err != nil {
		return nil, err
	}
	st.Info = infoFor(st.Layout, o.derive, len(files) > rulesFile)
	s, err := newSource(st, files)
	if err != nil {
		files.Close()
		return nil, failure(scan.Error{Reason: Refused, Missing: "the programs' shared memory", Err: err})
	}
	if o.ruleTime > 0 {
		s.ruleTime, s.share = o.ruleTime, newShare(o.ruleTime)
	}
	return s, nil
}

// resolve finds Landlock's structures.
func (o *opener) resolve(st *state) error {
	_, noType := structByName(o.types, "landlock_cred_security")
	if o.kernel.Landlock != scan.Enabled {
		if o.kernel.Landlock == scan.NotBuilt && noType == nil {
			return failure(scan.Error{
				Reason: Refused, Missing: "the system calls of Landlock: this kernel has it, " +
					"but landlock_create_ruleset(2) answers ENOSYS",
				Hint: "allow landlock_create_ruleset in the seccomp filter that this process runs under",
			})
		}
		st.Layout = layout{
			Id: absent, Denials: absent, Details: absent, NumRules: absent, LogStatus: absent,
			CreatorExe: absent,
		}
	} else {
		var err error
		files := o.kernel.Rights.Sure[access.FS]
		if st.Layout, st.Format, err = resolveLayout(o.types, files); err != nil {
			return failure(scan.Error{Reason: UnknownLayout, Missing: "Landlock's structures in a form that is known here", Err: err,
				Hint: "please report this with the output of landlockd doctor"})
		}
		if st.Newer, err = resolveSigns(o.types, &st.Layout); err != nil {
			return failure(scan.Error{Reason: UnknownLayout, Missing: "what Landlock keeps of domains in a form that is known here", Err: err,
				Hint: "please report this with the output of landlockd doctor"})
		}
		if st.Log = resolveLog(o.types); len(st.Log) == 0 {
			st.Layout.LogStatus = absent
		}
	}
	st.Layout.MaxLayers = uint32(o.kernel.NestingLimit())
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "386" && runtime.GOARCH != "s390x" {
		st.Layout.Fence = 1
	}
	// Without a v1 hierarchy that names processes the walk to its cgroup is left out.
	st.Layout.CgroupV1 = cgroupfs.Find("/proc", o.cgroupFS).V1.ID
	return nil
}

// calibrate finds the offset in the credentials and the depth of the PID namespace.
func (o *opener) calibrate(st *state) error {
	coll, it, err := o.load(objectProgCalibrate, st.Layout, nil)
	if err != nil {
		return err
	}
	defer coll.Close()
	defer it.Close()
	buf := make([]byte, readSize)
	read := func(to sink) error { return iterate(context.Background(), it.FD(), buf, to) }
	if st.Layout.Landlock == 0 {
		var end endResult
		if err := read(&end); err != nil {
			return failure(scan.Error{Reason: Read, Missing: "the calibration", Err: err})
		}
		return end.level(st)
	}
	ctl, err := mapControl(coll.Maps[objectMapControl].FD())
	if err != nil {
		return failure(scan.Error{Reason: Refused, Missing: "the programs' shared memory", Err: err})
	}
	defer ctl.close()
	c := calibrator{supported: o.kernel.Rights.Sure, format: st.Format, control: ctl, read: read}
	if st.Layout.Views == 1 {
		release, err := holdObject()
		if err != nil {
			st.Layout.Views, o.noRules = 0, err
		} else {
			defer release()
		}
	}
	offset, err := c.find()
	if err != nil {
		return failure(scan.Error{Reason: Calibration, Missing: "the place of Landlock's domain in the credentials", Err: err})
	}
	// The resolved offset is that of the domain within Landlock's part, and
	// calibration found the domain itself.
	st.Layout.Blob = offset
	// What domains of these helpers have is no sign of anything.
	st.Layout.Signs &^= c.signs[offset/bytesOfPointer]
	if st.Layout.Views == 1 {
		if st.Layout.Object, err = c.object(); err != nil {
			st.Layout.Views, o.noRules = 0, err
		}
	}
	return c.end.level(st)
}

// endResult collects the last record.
type endResult struct{ record *endRecord }

func (r *endResult) take(record any, _ []byte) {
	if end, ok := record.(*endRecord); ok {
		r.record = end
	}
}

// level notes how deep the PID namespace is of whoever read.
func (r *endResult) level(st *state) error {
	if r.record == nil {
		return failure(scan.Error{Reason: Read, Missing: "the calibration: the iterator did not reach its end"})
	}
	st.Layout.PidLevel = r.record.PidLevel
	return nil
}

// workers returns the flags of threads that the kernel makes for user
// processes. PF_IO_WORKER came in 5.12; the bit of PF_USER_WORKER (6.4) meant
// something else before.
func (o *opener) workers() uint32 {
	w := uint32(pfIOWorker)
	if s, err := structByName(o.types, "kernel_clone_args"); err == nil {
		if _, ok := find(s, "user_worker"); ok {
			w |= pfUserWorker
		}
	}
	return w
}
