// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// stageEnv is set for the second stage. It gives whoever sets it nothing: the
// second stage only uses what it was started with.
const stageEnv = "LANDLOCKD_STAGE"

const stageServing = "serving"

// opened is all that the privileged stage prepares for the serving one.
type opened struct {
	source    *taskiter.Source
	failure   *failure // why there is no source
	listeners []net.Listener
	notify    *os.File // connected to the service manager, or nil
	keep      []int    // capabilities that the source cannot do without
}

// scanner is what scans are made with: the source, or its failure.
func (o *opened) scanner() scan.Source {
	if o.source != nil {
		return o.source
	}
	return scan.Unusable(o.failure)
}

func (o *opened) close() {
	if o.source != nil {
		o.source.Close()
	}
	for _, l := range o.listeners {
		l.Close()
	}
}

// handoff is what passes to the serving stage as text, in its first descriptor.
// The others follow in the order of the members here.
type handoff struct {
	Listeners int             `json:"listeners"`
	Notify    bool            `json:"notify"`
	Source    json.RawMessage `json:"source,omitempty"`
	Failure   *failure        `json:"failure,omitempty"`
	Keep      []int           `json:"keep,omitempty"`
}

// pack returns the descriptors that the serving stage inherits.
func (o *opened) pack() ([]*os.File, error) {
	h := handoff{Listeners: len(o.listeners), Notify: o.notify != nil, Failure: o.failure, Keep: o.keep}
	var files []*os.File
	for _, l := range o.listeners {
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
	if o.source != nil {
		state, sourceFiles, err := o.source.Handoff()
		if err != nil {
			return nil, err
		}
		h.Source = state
		files = append(files, sourceFiles...)
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("state of the first stage: %w", err)
	}
	fd, err := unix.MemfdCreate("landlockd-handoff", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memfd_create(2): %w", err)
	}
	memory := os.NewFile(uintptr(fd), "landlockd-handoff")
	if _, err := memory.Write(text); err != nil {
		return nil, fmt.Errorf("state of the first stage: %w", err)
	}
	if _, err := memory.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("state of the first stage: %w", err)
	}
	return append([]*os.File{memory}, files...), nil
}

// unpack is the inverse, in the serving stage.
func unpack() (*opened, error) {
	memory := inherited(0)
	text, err := io.ReadAll(io.LimitReader(memory, 1<<20))
	memory.Close()
	if err != nil {
		return nil, fmt.Errorf("%s is set, but descriptor %d does not hold what the first stage leaves there: %w", stageEnv, confine.FirstFile, err)
	}
	var h handoff
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, fmt.Errorf("%s is set, but descriptor %d does not hold what the first stage leaves there: %w", stageEnv, confine.FirstFile, err)
	}
	o := &opened{failure: h.Failure, keep: h.Keep}
	next := 1
	for range h.Listeners {
		f := inherited(next)
		next++
		l, err := net.FileListener(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("inherited socket: %w", err)
		}
		o.listeners = append(o.listeners, l)
	}
	if h.Notify {
		o.notify = inherited(next)
		next++
	}
	if h.Source != nil {
		if o.source, err = taskiter.Resume(h.Source, []*os.File{inherited(next), inherited(next + 1)}); err != nil {
			return nil, err
		}
	} else if o.failure == nil {
		return nil, errors.New("the first stage left neither a source nor why there is none")
	}
	return o, nil
}

// inherited returns the i-th descriptor that the first stage left, and keeps it
// from passing on.
func inherited(i int) *os.File {
	fd := confine.FirstFile + i
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), fmt.Sprintf("inherited descriptor %d", fd))
}

// execServing replaces this process by the serving stage. It only returns if
// that failed.
func (s *settings) execServing(o *opened) error {
	uid, gid, err := s.servingUser()
	if err != nil {
		return err
	}
	readable, err := s.readable()
	if err != nil {
		return err
	}
	files, err := o.pack()
	if err != nil {
		return err
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return hasName(v, stageEnv) || hasName(v, "NOTIFY_SOCKET") })
	plan := confine.Plan{
		UID: uid, GID: gid, Keep: o.keep, ReadBelow: readable, Files: files,
		Args: os.Args, Env: append(env, stageEnv+"="+stageServing),
	}
	return fmt.Errorf("confine the serving stage: %w", plan.Exec())
}

func hasName(variable, name string) bool {
	return len(variable) > len(name) && variable[:len(name)] == name && variable[len(name)] == '='
}
