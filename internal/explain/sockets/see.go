// SPDX-License-Identifier: Apache-2.0

// Package sockets finds the Unix sockets outside of a process's Landlock domains that it
// could connect or send to: the way out of a sandbox that asks a process
// outside to act for it.
//
// It works with the caller's own rights, and as root decides as the kernel would:
// whether a path leads to a socket, and whether permissions let it be connected
// to, is tried by a thread in the process's mount namespace and root directory,
// with its user, groups and capabilities. Nothing is connected to.
//
// [See] looks at the host, where what it looks at may block it for ever. A [Judge] says
// what that means for the process, and looks at nothing.
package sockets

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/explain/target"
	"github.com/landlockd/landlockd/internal/patient"
	"github.com/landlockd/landlockd/internal/procdir"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Seen is a socket that has a name, and takes connections or datagrams.
type Seen struct {
	// Name is the path as it was bound, or begins with a NUL.
	Name untrusted.Text `json:"name"`
	// Datagram: it takes datagrams.
	Datagram bool `json:"datagram,omitempty"`
	// Holders are the PIDs of processes that have it open.
	Holders []int32 `json:"holders"`
	// Spot is what the path leads the process to, nil for a socket without a path.
	Spot *Spot `json:"spot"`
}

// Process names a process that may have sockets open: its PID, and when it started in
// nanoseconds since boot.
type Process struct {
	PID   int32  `json:"pid"`
	Start uint64 `json:"start"`
}

// See looks at the sockets of a host for a process. Sockets with a path are reached
// whatever network namespace they are of, abstract ones only in the process's own. It
// calls each for every socket, and returns in words what could not be looked at.
func See(
	procfs string, t *target.Process, others []Process, each func(*Seen),
) (gaps []string, err error) {
	l := &look{t: t}
	own, err := t.Link("ns/net")
	if err != nil {
		return nil, err
	}
	spaces := map[string]*os.File{}
	defer func() {
		for _, f := range spaces {
			f.Close()
		}
	}()
	if spaces[own], err = t.File("ns/net", unix.O_RDONLY); err != nil {
		return nil, fmt.Errorf("open the network namespace of process %d: %w", t.PID, err)
	}
	if err := l.survey(procfs, others, spaces); err != nil {
		return nil, err
	}
	if l.able, err = impersonate(t); err != nil {
		return nil, err
	}
	defer func() {
		if l.stuck == 0 { // else that may wait for ever
			l.able.end()
		}
	}()
	if l.able.gap != "" {
		gaps = append(gaps, l.able.gap)
	}
	for space, f := range spaces {
		found, err := listenersOf(f)
		if err != nil {
			if space == own {
				return nil, err
			}
			l.unseen++
			continue
		}
		for _, k := range found {
			if k.name != "" && (k.name[0] != 0 || space == own) {
				each(l.see(&k))
			}
		}
	}
	if l.unseen > 0 {
		gaps = append(gaps, fmt.Sprintf("sockets of other network namespaces, "+
			"of which %d processes could not be looked at", l.unseen))
	}
	return gaps, nil
}

// look is one run of See.
type look struct {
	t       *target.Process
	able    *double
	holders map[uint32][]int32 // PIDs by the socket's inode number
	unseen  int
	stuck   int // paths that did not answer
}

func (l *look) see(k *listener) *Seen {
	s := &Seen{Name: untrusted.Text(k.name), Datagram: k.datagram, Holders: l.holders[k.inode]}
	if k.name[0] != 0 {
		s.Name = untrusted.Text(strings.TrimRight(k.name, "\x00"))
		s.Spot = l.find(string(s.Name), k)
	}
	return s
}

// Limits of paths into filesystems that do not answer: whoever serves them may have bound
// many sockets.
const (
	maxStuck = 8
	patience = time.Second
)

// find follows a path. A double that does not come back is left behind.
func (l *look) find(name string, k *listener) *Spot {
	unknown := &Spot{Doubt: "its path may lead into a filesystem that does not answer", Guess: true}
	if l.stuck == maxStuck {
		return unknown
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	able := l.able
	s, err := patient.Within(ctx, func() (*Spot, error) { return able.find(name, k), nil })
	if err == nil {
		return s
	}
	if next, err := impersonate(l.t); err == nil {
		l.able = next
		l.stuck++
	} else {
		l.stuck = maxStuck
	}
	return unknown
}

// maxSpaces is how many network namespaces are looked at.
const maxSpaces = 512

// survey notes who has sockets open, and adds the network namespaces of all
// processes.
func (l *look) survey(procfs string, all []Process, spaces map[string]*os.File) error {
	clocks, err := scan.ReadClockOffsets()
	if err != nil {
		return err
	}
	l.holders = map[uint32][]int32{}
	for _, p := range all {
		h, err := procdir.Open(procfs, p.PID, p.Start, clocks)
		if err != nil {
			continue
		}
		if space, err := h.Link("ns/net"); err == nil && spaces[space] == nil {
			var f *os.File
			if len(spaces) < maxSpaces {
				f, err = h.File("ns/net", unix.O_RDONLY)
			}
			if f == nil || err != nil {
				l.unseen++
			} else {
				spaces[space] = f
			}
		}
		const maxFDs = 1 << 20
		for _, fd := range h.Names("fd", maxFDs) {
			to, _ := h.Link("fd/" + fd)
			var at uint32
			_, err := fmt.Sscanf(to, "socket:[%d]", &at)
			if err == nil && !slices.Contains(l.holders[at], p.PID) {
				l.holders[at] = append(l.holders[at], p.PID)
			}
		}
		h.Close()
	}
	return nil
}

// listenersOf returns the sockets of a network namespace.
func listenersOf(ns *os.File) (found []listener, err error) {
	runApart(func() {
		if !sameNamespace(int(ns.Fd()), "net") {
			if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				err = fmt.Errorf("enter the network namespace: %w", err)
				return
			}
		}
		found, err = listening()
	})
	return found, err
}
