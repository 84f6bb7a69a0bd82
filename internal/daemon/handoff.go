// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// opened is all that the privileged stage prepares for the serving one.
type opened struct {
	found       sources.Found
	listeners   []net.Listener
	api         *net.UnixListener // or nil
	notify      *os.File          // connected to the service manager, or nil
	attribute   *os.File          // connected to the process that reads it, or nil
	resolver    *os.File          // connected to the process that opens what assets are, or nil
	resolverPID int
	watchdog    time.Duration     // in which the service manager wants to hear of it, or 0
	goal        confine.Goal      // of the serving stage
	failed      []confine.Failure // what the first stage could not reach of it
	config      *policy.Config    // the first stage's, of the files as they were then
	cmdline     bool              // the serving stage may read command lines
	denials     denialsHandoff    // how denials are read, by denialFiles
	// denialFiles are open in the stage that reads them.
	denialFiles []*os.File
	runs        runsHandoff // how processes that ended are counted, by runFiles
	runFiles    []*os.File
}

func (o *opened) close() {
	if o.found.Iterator != nil {
		o.found.Iterator.Close()
	}
	for _, l := range o.listeners {
		l.Close()
	}
	if o.api != nil {
		_ = o.api.Close()
	}
	for _, f := range []*os.File{o.attribute, o.resolver} {
		if f != nil {
			f.Close()
		}
	}
	for _, f := range append(o.denialFiles, o.runFiles...) {
		f.Close()
	}
}

// handoff is what passes to the serving stage as text.
type handoff struct {
	Listeners int             `json:"listeners"`
	API       bool            `json:"api,omitempty"`
	Notify    bool            `json:"notify"`
	Watchdog  time.Duration   `json:"watchdog,omitempty"`
	Source    json.RawMessage `json:"source,omitempty"`
	// SourceFiles is the number of the source's descriptors.
	SourceFiles int `json:"source_files,omitempty"`
	// Attribute reports whether a process reads it, to which a descriptor leads.
	Attribute bool `json:"attribute"`
	// Resolver is the PID of the process that opens what assets are, or 0: then there is none,
	// and no descriptor that leads to it.
	Resolver int `json:"resolver,omitempty"`
	// Kernel is there with Attribute: the stage that serves may ask the kernel less.
	Kernel  *scan.Kernel `json:"kernel,omitempty"`
	Failure *scan.Error  `json:"failure,omitempty"`
	// Tried is why each source that was tried cannot be used; empty if it can.
	Tried map[string]string `json:"tried"`
	confine.Goal
	Failed []confine.Failure `json:"failed,omitempty"`
	// Cmdline reports whether command lines may be read.
	Cmdline bool           `json:"cmdline,omitempty"`
	Denials denialsHandoff `json:"denials,omitzero"`
	Runs    runsHandoff    `json:"runs,omitzero"`
	// Files are the numbers of the descriptors, in the order of the members above.
	Files []int `json:"files"`
}

// parseHandoff refuses what no first stage leaves.
func parseHandoff(text []byte) (handoff, error) {
	var h handoff
	if err := json.Unmarshal(text, &h); err != nil {
		return handoff{}, err
	}
	if (h.Source == nil && !h.Attribute) == (h.Failure == nil) {
		return handoff{}, errors.New("want either a source or why there is none")
	}
	if h.Attribute && h.Kernel == nil {
		return handoff{}, errors.New("an attribute, but nothing of the kernel")
	}
	if (h.Source != nil) != (h.SourceFiles > 0) || h.SourceFiles < 0 {
		return handoff{}, fmt.Errorf("a source has %d descriptors", h.SourceFiles)
	}
	if err := cmp.Or(h.Denials.check(), h.Runs.check()); err != nil {
		return handoff{}, err
	}
	if h.Runs.Files > 0 && h.Source == nil {
		return handoff{}, errors.New("processes that end are counted, but there is no task iterator")
	}
	files := h.Listeners + h.SourceFiles + h.Denials.Files + h.Runs.Files
	for _, there := range []bool{h.API, h.Notify, h.Attribute, h.Resolver > 0} {
		if there {
			files++
		}
	}
	if h.Resolver < 0 || h.Resolver > math.MaxInt32 {
		return handoff{}, fmt.Errorf("%d is no PID", h.Resolver)
	}
	if h.Listeners < 0 || files != len(h.Files) {
		return handoff{}, fmt.Errorf("it has %d descriptors", len(h.Files))
	}
	for _, fd := range h.Files {
		if fd < 0 || fd > math.MaxInt32 {
			return handoff{}, fmt.Errorf("%d is no descriptor", fd)
		}
	}
	for _, c := range h.Keep {
		if c < 0 || c > unix.CAP_LAST_CAP {
			return handoff{}, fmt.Errorf("%d is no capability", c)
		}
	}
	return h, nil
}

// pack returns the descriptors that the serving stage inherits, with that of the
// handoff first.
func (o *opened) pack() ([]*os.File, error) {
	h := handoff{
		Listeners: len(o.listeners), API: o.api != nil, Notify: o.notify != nil, Watchdog: o.watchdog,
		Attribute: o.found.Attribute, Resolver: o.resolverPID, Tried: o.found.Tried,
		Goal: o.goal, Cmdline: o.cmdline, Denials: o.denials, Runs: o.runs,
	}
	if o.found.Attribute {
		h.Kernel = o.found.Kernel
	}
	if err := o.found.Failure; err != nil {
		h.Failure = scan.Flatten(err)
	}
	var files []*os.File
	sockets := slices.Clone(o.listeners)
	if o.api != nil {
		sockets = append(sockets, o.api)
	}
	for _, l := range sockets {
		filer, ok := l.(interface{ File() (*os.File, error) })
		if !ok {
			return nil, fmt.Errorf("socket %s cannot be handed on", l.Addr())
		}
		f, err := filer.File()
		if err != nil {
			return nil, fmt.Errorf("socket %s: %w", l.Addr(), err)
		}
		files = append(files, f)
	}
	if o.notify != nil {
		files = append(files, o.notify)
	}
	for _, f := range []*os.File{o.attribute, o.resolver} {
		if f != nil {
			files = append(files, f)
		}
	}
	if o.found.Iterator != nil {
		state, own, err := o.found.Iterator.Handoff()
		if err != nil {
			return nil, err
		}
		h.Source, h.SourceFiles = state, len(own)
		files = append(files, own...)
	}
	files = append(append(files, o.denialFiles...), o.runFiles...)
	for _, f := range files {
		h.Files = append(h.Files, int(f.Fd()))
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("state of the first stage: %w", err)
	}
	memory, err := unnamed()
	if err != nil {
		return nil, err
	}
	if _, err := memory.WriteAt(text, 0); err != nil { // its offset stays 0, for the reader
		return nil, fmt.Errorf("state of the first stage: %w", err)
	}
	return append([]*os.File{memory}, files...), nil
}

// unnamed returns a file without a name, in memory; or, where a filter refuses that, where
// temporary files are.
func unnamed() (*os.File, error) {
	const name = "landlockd-handoff"
	// vm.memfd_noexec=2 refuses files that might be executed.
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	if err != nil {
		err = fmt.Errorf("memfd_create(2): %w", err)
		dir, flags := os.TempDir(), unix.O_TMPFILE|unix.O_EXCL|unix.O_RDWR|unix.O_CLOEXEC
		var other error
		if fd, other = unix.Open(dir, flags, 0o600); other != nil {
			return nil, fmt.Errorf("%w; a file in %s: %w", err, dir, other)
		}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// addFailure adds a failure to a handoff that is written already. Its text only grows.
func addFailure(memory *os.File, f confine.Failure) error {
	text, err := io.ReadAll(io.NewSectionReader(memory, 0, maxHandoff))
	if err != nil {
		return err
	}
	h, err := parseHandoff(text)
	if err != nil {
		return err
	}
	h.Failed = append(h.Failed, f)
	if text, err = json.Marshal(h); err == nil {
		_, err = memory.WriteAt(text, 0)
	}
	return err
}

// maxHandoff bounds a handoff's text, in bytes.
const maxHandoff = 1 << 20

// unpack is the inverse of pack, in the serving stage: number is that of the handoff's descriptor.
func unpack(number string) (*opened, error) {
	h, err := readHandoff(number)
	if err != nil {
		return nil, fmt.Errorf("%s is set to %q, but that is no descriptor with what the first stage "+
			"leaves: %w", stageEnv, number, err)
	}
	files := h.Files
	next := func(n int) (taken []*os.File) {
		for _, fd := range files[:n] {
			unix.CloseOnExec(fd) // it goes no further
			taken = append(taken, os.NewFile(uintptr(fd), fmt.Sprintf("inherited descriptor %d", fd)))
		}
		files = files[n:]
		return taken
	}
	o := &opened{
		found: sources.Found{Attribute: h.Attribute, Kernel: h.Kernel, Tried: h.Tried},
		goal:  h.Goal, failed: h.Failed, cmdline: h.Cmdline, watchdog: h.Watchdog,
		denials: h.Denials, runs: h.Runs,
	}
	if h.Failure != nil {
		o.found.Failure = h.Failure
	}
	sockets := h.Listeners
	if h.API {
		sockets++
	}
	for _, f := range next(sockets) {
		l, err := net.FileListener(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("inherited socket: %w", err)
		}
		o.listeners = append(o.listeners, l)
	}
	if h.API {
		last, ok := o.listeners[h.Listeners].(*net.UnixListener)
		if !ok {
			return nil, fmt.Errorf("inherited socket %s is no Unix socket", o.listeners[h.Listeners].Addr())
		}
		o.api, o.listeners = last, o.listeners[:h.Listeners]
	}
	if h.Notify {
		o.notify = next(1)[0]
	}
	if h.Attribute {
		o.attribute = next(1)[0]
	}
	if h.Resolver > 0 {
		o.resolver, o.resolverPID = next(1)[0], h.Resolver
	}
	if h.Source != nil {
		o.found.Iterator, err = taskiter.Resume(h.Source, next(h.SourceFiles))
		if err != nil {
			return nil, err
		}
		if kernel := o.found.Iterator.Kernel(); o.found.Kernel == nil {
			o.found.Kernel = &kernel
		}
	}
	o.denialFiles, o.runFiles = next(h.Denials.Files), next(h.Runs.Files)
	return o, nil
}

func readHandoff(number string) (handoff, error) {
	fd, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return handoff{}, err
	}
	// Any other kind of descriptor may be one of Go's runtime: it stays untouched.
	var st unix.Stat_t
	if err := unix.Fstat(int(fd), &st); err != nil {
		return handoff{}, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return handoff{}, errors.New("not a file")
	}
	memory := os.NewFile(uintptr(fd), "handoff")
	defer memory.Close()
	text, err := io.ReadAll(io.LimitReader(memory, maxHandoff))
	if err != nil {
		return handoff{}, err
	}
	return parseHandoff(text)
}
