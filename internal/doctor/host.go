// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/procattr"
	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/taskiter"
)

// host is what checks look at. Of each thing there is either it or an error.
type host struct {
	o            Options
	types        *btf.Cache // of the kernel
	kernel       *scan.Kernel
	kernelErr    error
	iterator     iterator
	iteratorErr  error
	attribute    attribute
	attributeErr error
	assets       []domainid.Asset // of the configuration
	assetsErr    error
}

// iterator is a [taskiter.Source].
type iterator interface {
	scan.Source
	Info() scan.SourceInfo
	CredentialsOffset() int
	Unprivileged() bool
	Layout() taskiter.Layout
	NoWays() string
	Newer() []string
}

// attribute is a [procattr.Source].
type attribute interface {
	scan.Source
	Info() scan.SourceInfo
	File() string
	Form() string
	HidePID() (string, error)
	UsersKnown() bool
	OwnDepth() int
}

func openHost(o Options) *host {
	h := &host{o: o, types: btf.NewCache()}
	k, err := landlock.Probe(o.SysFS)
	if h.kernelErr = err; err == nil {
		h.kernel = &k
	}
	if src, err := taskiter.Open(taskiter.Options{SysFS: o.SysFS, Types: h.types}); err != nil {
		h.iteratorErr = err
	} else {
		h.iterator = src
	}
	src, err := procattr.Open(procattr.Options{ProcFS: o.ProcFS, SysFS: o.SysFS, Kernel: h.kernel})
	if err != nil {
		h.attributeErr = err
	} else {
		h.attribute = src
	}
	if c, err := inforce.Load(""); err != nil {
		h.assetsErr = err
	} else {
		h.assets = c.Assets
	}
	return h
}

// unprivileged returns what this user lacks to try the task iterator, or nil.
func (h *host) unprivileged() *scan.Error {
	var e *scan.Error
	if errors.As(h.iteratorErr, &e) && e.Reason == taskiter.NoCapability {
		return e
	}
	return nil
}

func (h *host) close() {
	for _, src := range []scan.Source{h.iterator, h.attribute} {
		if src != nil {
			_ = src.Close()
		}
	}
}
