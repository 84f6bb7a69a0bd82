// SPDX-License-Identifier: Apache-2.0

package kernels

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/landlockd/landlockd/test/programs"
	"github.com/landlockd/landlockd/test/truth"
	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/cpio"
	"github.com/landlockd/landlockd/test/vm/kernel"
)

// payload adds files to the initramfs of an architecture. It may use dir for
// itself, and starts in the module's root.
type payload func(ctx context.Context, w *cpio.Writer, module, dir, arch string) error

// payloads are in every guest, beside the guest's own program.
var payloads = map[string]payload{
	"truth":     addActor,
	"landlockd": addDaemon,
}

// further are in the guests that have a check of the name.
var further = map[string]payload{"programs": addPrograms, "inside": addAttacked, "cost": addMeasured, "deb": addDebian}

// compilers make statically linked programs for an architecture.
var compilers = map[string]string{
	"amd64": "gcc",
	"arm64": "aarch64-linux-gnu-gcc",
	"s390x": "s390x-linux-gnu-gcc",
}

// addDaemon adds landlockd itself, as people get it.
func addDaemon(ctx context.Context, w *cpio.Writer, module, dir, arch string) error {
	w.Dir("bin", 0o755)
	return addBuild(ctx, w, module, dir, arch, "landlockd")
}

// addAttacked adds the debug build that attacks from within.
func addAttacked(ctx context.Context, w *cpio.Writer, module, dir, arch string) error {
	return addBuild(ctx, w, module, dir, arch, "landlockd-attack", "-tags=attack")
}

func addBuild(
	ctx context.Context, w *cpio.Writer, module, dir, arch, name string, flags ...string,
) error {
	out := filepath.Join(dir, name)
	if err := vm.GoBuild(ctx, module, arch, out, "./cmd/landlockd", flags...); err != nil {
		return err
	}
	content, err := os.ReadFile(out)
	if err != nil {
		return err
	}
	w.File(0o711, content, "bin/"+name) // as make install does
	return nil
}

// addMeasured adds the programs that test/bench measures by, as /bench/NAME.
func addMeasured(ctx context.Context, w *cpio.Writer, module, dir, arch string) error {
	w.Dir("bench", 0o755)
	for _, name := range []string{"population", "attrloop"} {
		out := filepath.Join(dir, name)
		source := filepath.Join(module, "test/bench/program", name+".c")
		c := exec.CommandContext(ctx, compilers[arch], "-O2", "-static", "-pthread", "-o", out, source)
		if text, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("compile %s: %w\n%s", name, err, text)
		}
		content, err := os.ReadFile(out)
		if err != nil {
			return err
		}
		w.File(0o755, content, "bench/"+name)
	}
	return nil
}

// addActor adds the truth generator's processes, as /truth/actor and its other
// names.
func addActor(ctx context.Context, w *cpio.Writer, _, dir, arch string) error {
	actor, err := truth.BuildWith(ctx, dir, compilers[arch])
	if err != nil {
		return err
	}
	content, err := os.ReadFile(actor)
	if err != nil {
		return err
	}
	info, err := os.Stat(actor)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		other, err := os.Stat(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if !os.SameFile(info, other) {
			return fmt.Errorf("%s is not another name of %s", e.Name(), actor)
		}
		names = append(names, "truth/"+e.Name())
	}
	w.Dir("truth", 0o755)
	w.File(0o755, content, names...)
	return nil
}

// addFile adds a file of the host's, below the root.
func addFile(path string) payload {
	return func(_ context.Context, w *cpio.Writer, _, _, _ string) error {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		w.File(0o755, content, filepath.Base(path))
		return nil
	}
}

// kernelSelftests is the check that the kernel's own tests are for: those of its version.
const kernelSelftests = "kernelselftests"

// selftestModule is the module that some of them need.
const selftestModule = "overlay"

// selftests is the payload of the kernel's own tests of Landlock, as /selftests/NAME.
func (r *runner) selftests(series, version string) payload {
	return func(ctx context.Context, w *cpio.Writer, _, _, arch string) error {
		if arch != "amd64" {
			return errors.New("they are built for amd64")
		}
		dir, err := r.kernels.Selftests(ctx, series, version)
		if err != nil {
			return err
		}
		files, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		w.Dir("selftests", 0o755)
		for _, f := range files {
			content, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				return err
			}
			w.File(0o755, content, "selftests/"+f.Name())
		}
		module, err := r.kernels.Module(ctx, series, kernel.Cloud, arch, selftestModule)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(module)
		if err != nil {
			return err
		}
		w.File(0o644, content, "selftests/"+selftestModule+".ko")
		return nil
	}
}

// addPrograms adds a tree of real programs, as /programs.
func addPrograms(ctx context.Context, w *cpio.Writer, _, _, arch string) error {
	if arch != runtime.GOARCH {
		return fmt.Errorf("the programs are those of %s", runtime.GOARCH)
	}
	cache, err := vm.Cache("programs")
	if err != nil {
		return err
	}
	tree, err := programs.OpenTree(ctx, cache)
	if err != nil {
		return err
	}
	files, err := tree.FilesForGuests(ctx)
	if err != nil {
		return err
	}
	dirs := map[string]bool{".": true}
	for _, file := range files {
		path := filepath.Join(tree.Dir, file)
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.Join("programs", file)
		addDirs(w, dirs, filepath.Dir(name))
		w.File(uint32(info.Mode().Perm()), content, name)
	}
	return nil
}

// addDirs adds a directory and those above it, unless they were added.
func addDirs(w *cpio.Writer, added map[string]bool, name string) {
	if added[name] {
		return
	}
	added[name] = true
	addDirs(w, added, filepath.Dir(name))
	w.Dir(name, 0o755)
}
