// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"errors"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"

	"github.com/landlockd/landlockd/internal/bpffile"
)

// programs returns each tracepoint's program.
func programs() map[string]string {
	return map[string]string{
		denyFS: objectProgDenyFs, denyNet: objectProgDenyNet, denyPtrace: objectProgDenyPtrace,
		denySignal: objectProgDenySignal, denyAbstract: objectProgDenyAbstract,
	}
}

// NumFiles is the number of descriptors that Open returns: the ring, the counts,
// and a link for each tracepoint.
const NumFiles = 2 + 5

// Open loads and attaches the programs. It needs CAP_BPF and CAP_PERFMON. What it
// returns is for NewReader, in this process or in another, which needs no
// capability: the programs' own descriptors are closed, because whoever has one can
// run it on addresses of his choice. kernel has the kernel's types. An error is a *scan.Error.
func Open(kernel *btf.Cache) ([]*os.File, error) {
	types, err := kernel.Kernel()
	if err != nil {
		return nil, failure(Absent, "the kernel does not describe its types (BTF)", err)
	}
	c, err := resolve(types)
	if err != nil {
		return nil, err
	}
	coll, err := load(kernel, c)
	if err != nil {
		return nil, err
	}
	defer coll.Close()
	return attach(coll)
}

func load(cache *btf.Cache, c config) (*ebpf.Collection, error) {
	spec, err := loadObject()
	if err == nil {
		err = spec.Variables[objectVarConfig].Set(c)
	}
	if err != nil {
		return nil, failure(Refused, "the BPF object", err)
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: cache})
	if err != nil {
		return nil, failure(Refused, "the kernel did not accept the programs", err)
	}
	return coll, nil
}

func attach(coll *ebpf.Collection) ([]*os.File, error) {
	var files bpffile.Files
	fail := func(what string, err error) ([]*os.File, error) {
		files.Close()
		return nil, failure(Refused, what, err)
	}
	err := errors.Join(
		files.Keep(coll.Maps[objectMapEvents], "events"), files.Keep(coll.Maps[objectMapCounts], "counts"))
	if err != nil {
		return fail("the programs' memory", err)
	}
	for tracepoint, program := range programs() {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{
			Name: tracepoint, Program: coll.Programs[program],
		})
		if err == nil {
			err = files.Keep(l, tracepoint)
			_ = l.Close()
		}
		if err != nil {
			return fail("attach to "+tracepoint, err)
		}
	}
	return files, nil
}
