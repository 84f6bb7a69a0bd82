// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"cmp"
	"errors"
	"maps"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/bpffile"
	"github.com/landlockd/landlockd/scan"
)

// parse parses the object, of which each program is loaded.
func (o *opener) parse() (err error) {
	if o.object, err = loadObject(); err != nil {
		return failure(scan.Error{Reason: NoIterator, Missing: "the BPF object", Err: err})
	}
	return nil
}

// loadAll loads the program that scans and, beside it, as the kernel verifies each on one
// processor, those that read rules and look for ways to assets. It returns what a source has.
func (o *opener) loadAll(st *state) (files bpffile.Files, err error) {
	shared, err := o.makeShared()
	if err != nil {
		return nil, err
	}
	defer closeMaps(shared)
	rules, ways := beside{err: o.noRules}, beside{err: o.noRules}
	if o.kernel.Landlock == scan.Enabled && o.noRules == nil {
		rules.load(o, objectProgRules, st.Layout, shared)
		ways.load(o, objectProgWays, st.Layout, shared)
	}
	coll, it, err := o.loadScan(st, shared)
	rules.wait()
	defer rules.close()
	ways.wait()
	defer ways.close()
	if err != nil {
		return nil, err
	}
	defer coll.Close()
	defer it.Close()
	err = cmp.Or(keep(&files, it, "iterator"), keep(&files, shared[objectMapControl], "control"))
	if err == nil && o.kernel.Landlock == scan.Enabled {
		// Where this fails, rules stay unread and everything else works: kernels before
		// Linux 5.17 have no loops that are long enough.
		if err := cmp.Or(o.noRules, rules.keep(&files)); err != nil {
			st.NoRules, st.NoWays = err.Error(), err.Error()
		} else if err := ways.keep(&files); err != nil {
			st.NoWays = err.Error()
		}
	}
	if err != nil {
		files.Close()
		return nil, err
	}
	return files, nil
}

// makeShared makes the maps that several programs use, by their names.
func (o *opener) makeShared() (map[string]*ebpf.Map, error) {
	shared := map[string]*ebpf.Map{}
	for _, name := range []string{objectMapControl, objectMapSpaces} {
		m, err := ebpf.NewMap(o.object.Maps[name])
		if err != nil {
			closeMaps(shared)
			return nil, loadError(err)
		}
		shared[name] = m
	}
	return shared, nil
}

func closeMaps(maps map[string]*ebpf.Map) {
	for _, m := range maps {
		_ = m.Close()
	}
}

// beside is a program that is loaded beside another one.
type beside struct {
	name string
	coll *ebpf.Collection
	it   *link.Iter
	err  error
	work sync.WaitGroup
}

func (b *beside) load(o *opener, name string, l layout, shared map[string]*ebpf.Map) {
	b.name = name
	b.work.Go(func() { b.coll, b.it, b.err = o.load(name, l, shared) })
}

func (b *beside) wait() { b.work.Wait() }

// keep adds the program's link, or returns why there is none.
func (b *beside) keep(files *bpffile.Files) error {
	if b.err != nil {
		return b.err
	}
	return keep(files, b.it, b.name)
}

func (b *beside) close() {
	if b.coll != nil {
		b.it.Close()
		b.coll.Close()
	}
}

// loadScan loads the program that scans, with as much as this kernel accepts: it
// does without what some cannot compile.
func (o *opener) loadScan(
	st *state, shared map[string]*ebpf.Map,
) (*ebpf.Collection, *link.Iter, error) {
	load := func() (*ebpf.Collection, *link.Iter, error) {
		return o.load(objectProgScan, st.Layout, shared)
	}
	coll, it, err := load()
	if err != nil && st.Layout.Fence != 0 {
		// Atomic operations, on arm64 before 5.18.
		st.Layout.Fence = 0
		coll, it, err = load()
	}
	if err != nil && st.Layout.Views != 0 {
		// Loops that are long enough, before 5.17.
		st.Layout.Views, o.noRules = 0, err
		coll, it, err = load()
	}
	return coll, it, err
}

// load loads one of the object's programs with the maps that it uses, and attaches it.
// Those that are shared may be other programs', too.
func (o *opener) load(
	name string, l layout, shared map[string]*ebpf.Map,
) (*ebpf.Collection, *link.Iter, error) {
	spec := o.object.Copy()
	err := errors.Join(
		spec.Variables[objectVarLayout].Set(l), spec.Variables[objectVarRulesLayout].Set(o.rules))
	if err != nil {
		return nil, nil, failure(scan.Error{Reason: NoIterator, Missing: "the BPF object", Err: err})
	}
	used := map[string]bool{objectMapSpaces: name == objectProgWays} // which goes over it
	for _, ins := range spec.Programs[name].Instructions {
		used[ins.Reference()] = true
	}
	maps.DeleteFunc(spec.Programs, func(other string, _ *ebpf.ProgramSpec) bool { return other != name })
	maps.DeleteFunc(spec.Maps, func(name string, _ *ebpf.MapSpec) bool { return !used[name] })
	replacements := maps.Clone(shared)
	maps.DeleteFunc(replacements, func(name string, _ *ebpf.Map) bool { return !used[name] })
	opts := ebpf.CollectionOptions{
		Programs: ebpf.ProgramOptions{KernelTypes: o.types}, Cache: o.cache,
		MapReplacements: replacements,
	}
	coll, err := ebpf.NewCollectionWithOptions(spec, opts)
	if err != nil {
		return nil, nil, loadError(err)
	}
	iter := link.IterOptions{Program: coll.Programs[name]}
	if name == objectProgWays { // all others go over tasks
		iter.Map = coll.Maps[objectMapSpaces]
	}
	it, err := link.AttachIter(iter)
	if err != nil {
		coll.Close()
		return nil, nil, loadError(err)
	}
	return coll, it, nil
}

// errNoCompiler is the kernel's ENOTSUPP: a program calls a function of the kernel, and programs
// are not compiled but interpreted.
const errNoCompiler = unix.Errno(524)

func loadError(err error) error {
	var verifier *ebpf.VerifierError
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES) && !errors.As(err, &verifier):
		return failure(scan.Error{Reason: Refused, Missing: "the kernel refused bpf(2) although the capabilities are there", Err: err,
			Hint: "they must be held in the initial user namespace, and no seccomp filter or security module may forbid bpf(2)"})
	case errors.Is(err, errNoCompiler):
		return failure(scan.Error{Reason: NoIterator, Missing: "the kernel's compiler for BPF programs", Err: err,
			Hint: "sysctl net.core.bpf_jit_enable=1 switches it on, unless the kernel is built without it " +
				"(CONFIG_BPF_JIT), as Debian's for s390x is"})
	case errors.Is(err, ebpf.ErrNotSupported):
		return failure(scan.Error{Reason: NoIterator, Missing: "BPF task iterators", Since: "5.8", Err: err})
	default:
		return failure(scan.Error{Reason: NoIterator, Missing: "the kernel did not accept the program", Err: err,
			Hint: "if the kernel is locked down for confidentiality, that is why; " +
				"otherwise please report this with the output of landlockd doctor"})
	}
}

// keep adds a descriptor of a map or link.
func keep(files *bpffile.Files, object any, name string) error {
	if err := files.Keep(object, name); err != nil {
		return failure(scan.Error{Reason: Refused, Missing: name, Err: err})
	}
	return nil
}
