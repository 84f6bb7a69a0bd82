// SPDX-License-Identifier: Apache-2.0

package procattr

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/landlock"
	osthread "github.com/landlockd/landlockd/internal/thread"
)

// files are the names that the attribute was proposed under, below
// attr/landlock.
var files = [...]string{"domain", "current"}

// probe finds out how the kernel shows domains: from threads of this process
// that are in known numbers of domains, read as any other task is.
type probe struct {
	proc  int    // descriptor of the mount's root
	mount string // its path
	limit int    // domains that one task can be in
}

// find returns the dialect of this kernel. An error is a *scan.Error.
func (p *probe) find() (dialect, error) {
	own, err := p.ownDepth()
	if err != nil {
		return dialect{}, helperFailed(err)
	}
	var made [3]*helper
	for i, layers := range [...]int{0, shallowLayers, deepLayers} {
		if made[i], err = p.start(layers); err != nil {
			return dialect{}, helperFailed(err)
		}
		defer made[i].release()
	}
	for _, file := range files {
		h := helpers{
			own: own, free: p.sample(made[0], file),
			shallow: p.sample(made[1], file), deep: p.sample(made[2], file),
		}
		d, err := detect(h)
		d.file, d.own = file, own
		switch {
		case err == nil:
			return d, nil
		case errors.Is(err, errNoAttribute):
		case errors.Is(h.shallow.err, unix.EACCES) || errors.Is(h.shallow.err, unix.EPERM):
			return d, failure(Denied, "reading this process's own threads is refused",
				h.shallow.err, "")
		default:
			return d, failure(UnknownForm, "attr/landlock/"+file+" is not understood", err,
				"please report this with the output of landlockd doctor")
		}
	}
	return dialect{}, failure(NoAttribute,
		"this kernel has no /proc/[pid]/attr/landlock (carried by no mainline kernel up to 7.3)", nil,
		"use the task iterator, or see deploy/kernel for a patch")
}

func helperFailed(err error) error {
	return failure(Helper,
		"threads in known numbers of domains, to learn from how this kernel shows them", err, "")
}

// helper is a thread of this process in a domain of its own making.
type helper struct {
	// attr is the path of its attributes relative to the root of the mount.
	attr    string
	release func()
}

// start starts a thread and restricts it by a number of layers.
func (p *probe) start(layers int) (*helper, error) {
	h := &helper{}
	ready, stop := make(chan error), make(chan struct{})
	wait := osthread.Run(func() {
		// The mount may be of an outer PID namespace, with other numbers.
		link, err := os.Readlink(p.mount + "/thread-self")
		if err == nil {
			h.attr = link + "/attr/"
			_, err = restrict(layers)
		}
		ready <- err
		<-stop
	})
	h.release = func() { close(stop); wait() }
	if err := <-ready; err != nil {
		h.release()
		return nil, err
	}
	return h, nil
}

// ownDepth returns how many domains this process is in, by how many more a
// thread of it may enter.
func (p *probe) ownDepth() (int, error) {
	var n int
	var err error
	osthread.Run(func() { n, err = restrict(p.limit + 1) })()
	if err == nil {
		return 0, fmt.Errorf("a thread could enter more than %d domains", p.limit)
	}
	if !errors.Is(err, unix.E2BIG) {
		return 0, err
	}
	return p.limit - n, nil
}

// restrict puts the calling thread in a number of domains. It returns how many
// it has entered.
func restrict(layers int) (int, error) {
	if layers == 0 {
		return 0, nil
	}
	if err := landlock.NoNewPrivs(); err != nil {
		return 0, err
	}
	// One right that every kernel has, and that a helper does not use.
	fd, err := landlock.CreateRuleset(access.Rights{access.FS: unix.LANDLOCK_ACCESS_FS_MAKE_CHAR})
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	for n := range layers {
		if err := landlock.RestrictThread(fd); err != nil {
			return n, err
		}
	}
	return layers, nil
}

// sample reads a helper's attribute as it stands in a file.
func (p *probe) sample(h *helper, file string) sample {
	buf := make([]byte, 128)
	n, errno := readAt(p.proc, newPath(h.attr+"landlock/"+file), buf)
	s := sample{dir: exists(p.proc, newPath(h.attr+"landlock"))}
	if errno == ok {
		s.text = buf[:n]
	} else {
		s.err = errno
	}
	return s
}
