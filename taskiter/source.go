// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/scan"
)

// Options for [Open]. The zero value is right for a daemon.
type Options struct {
	// SysFS is where sysfs is mounted; "/sys" if empty. Only the state of
	// lockdown, the list of security modules and which cgroup hierarchies are
	// mounted is read there.
	SysFS string
	// DeriveIDs gives domains derived IDs even where the kernel has IDs.
	DeriveIDs bool
	// RuleTime is how long a scan may read rules of domains; what is left then
	// goes on in the next scan. 0 is 20 ms, for a daemon.
	RuleTime time.Duration
	// Types has the kernel's types, for callers that load programs of their own, too; nil to
	// decode them anew.
	Types *btf.Cache
	// Calibrated, if set, is called as soon as it is known where this kernel keeps domains,
	// before the programs are loaded that scan, which takes most of Open's time.
	Calibrated func(Layout)
}

// Source reads tasks. It implements [scan.Source].
type Source struct {
	state   state
	files   bpffile.Files
	control *control
	buf     []byte
	// read hands what one of the programs returns to take, by its place in files.
	read func(ctx context.Context, file int, take func([]byte) error) error

	pass   pass
	before known
	// after is before of the next scan, while this one goes on.
	after     known
	unsettled []int32
	programs  programs
	index     map[uint64]int32 // domain key to place in the snapshot
	used      []int32
	chain     []uint64
	shared    []uint64
	deriver   *deriver // nil where the kernel has IDs
	creators  map[uint64]creatorName
	rulebook  rulebook
	holders   []holder // by domain, as pass.described
	views     views
	scans     uint64

	resolver Resolver
	assets   []domainid.Asset  // of this scan
	objects  []domainid.Object // of this scan
	// last is the last snapshot, if a scan that reads the same comes to the same.
	last *scan.Snapshot
	// repeats is how many scans in a row came to the same as the one before.
	repeats int
	kinds   string // of objects
	spaces  spaces
	scenes  scenes

	ruleTime time.Duration
	clock    clock
	share    share
	favour   atomic.Pointer[[]int32]
	favoured []int32 // those of the last scan
}

// The places of a source's descriptors: the link of the program that scans, the memory
// that the programs share, and the links of those that read rules and ways, if they do.
const (
	linkFile = iota
	memoryFile
	rulesFile
	waysFile
)

const defaultRuleTime = 20 * time.Millisecond

// state is what a source learned while it was opened. It passes from the stage
// that loads to the one that scans.
type state struct {
	Layout layout
	Format maskFormat
	Log    logFormat
	Kernel scan.Kernel
	Info   scan.SourceInfo
	// NoRules is why the rules of domains cannot be read, empty if they can, and NoWays
	// why what leads to assets cannot.
	NoRules, NoWays string
	// Newer is what the kernel keeps of domains and is not known here.
	Newer []string
}

var _ scan.Source = (*Source)(nil)

// newSource makes a source that owns the files.
func newSource(st state, files bpffile.Files) (*Source, error) {
	c, err := mapControl(int(files[memoryFile].Fd()))
	if err != nil {
		return nil, err
	}
	return newSourceWith(st, files, c), nil
}

// newSourceWith is newSource with memory that is mapped.
func newSourceWith(st state, files bpffile.Files, c *control) *Source {
	s := &Source{
		state: st, files: files, control: c, buf: make([]byte, readSize),
		before: known{}, after: known{}, index: map[uint64]int32{}, creators: map[uint64]creatorName{},
		rulebook: newRulebook(), views: newViews(), ruleTime: defaultRuleTime, clock: newClock(),
		share: newShare(defaultRuleTime), spaces: newSpaces(), scenes: newScenes(),
	}
	s.read, s.pass.control, s.pass.digests = s.readFile, c, newDigests()
	// An earlier holder of the programs may have taken paths that are not here.
	c.forgetAll()
	if st.Info.IDs == "derived" {
		s.deriver = newDeriver()
	}
	return s
}

func (s *Source) fd(place int) int { return int(s.files[place].Fd()) }

// reader returns what makes one pass over the host's tasks.
func (s *Source) reader(ctx context.Context) reader {
	return func(take func([]byte) error) error { return s.read(ctx, linkFile, take) }
}

// iterate runs one of the programs over every task.
func (s *Source) iterate(ctx context.Context, file int, to sink) error {
	return s.read(ctx, file, func(b []byte) error { return parse(b, to) })
}

func (s *Source) readFile(ctx context.Context, file int, take func([]byte) error) error {
	return iterateBlocks(ctx, s.fd(file), s.buf, take)
}

// Favour names processes that rules are about, in whatever order: from the next scan
// on, what is read of them does not depend on how much there is to read of their users'
// other processes. It may be called at any time.
func (s *Source) Favour(pids []int32) { s.favour.Store(&pids) }

// Kernel returns what was found out about the running kernel.
func (s *Source) Kernel() scan.Kernel { return s.state.Kernel }

// Info returns how each kind of fact is obtained.
func (s *Source) Info() scan.SourceInfo { return s.state.Info }

// CredentialsOffset is where calibration found Landlock's part of the
// credentials, in bytes; -1 where Landlock is not enabled.
func (s *Source) CredentialsOffset() int {
	if s.state.Layout.Landlock == 0 {
		return -1
	}
	return int(s.state.Layout.Blob)
}

// NoRules returns why the rules of domains cannot be read; empty if they can, and where
// there are none.
func (s *Source) NoRules() string { return s.state.NoRules }

// Close releases the programs.
func (s *Source) Close() error {
	err := s.control.close()
	for _, f := range s.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

func infoFor(l layout, derive, rules bool) scan.SourceInfo {
	info := scan.SourceInfo{
		Name: "taskiter", IDs: "kernel", Lineage: domainid.LineageKnown.String(),
		Rules: "unread", Denials: "counters", Runs: scan.RunsNone, PIDNS: "init",
	}
	if l.PidLevel > 0 {
		info.PIDNS = "nested"
	}
	if l.Id == absent || derive {
		info.IDs = "derived"
	}
	if rules {
		info.Rules = "read"
	}
	if l.Denials == absent {
		info.Denials = "none"
	}
	if l.Landlock == 0 {
		info.IDs, info.Lineage, info.Rules, info.Denials = "none", "none", "none", "none"
	}
	return info
}
