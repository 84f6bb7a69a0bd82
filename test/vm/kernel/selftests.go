// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// SelftestTools are what building the kernel's own tests needs.
var SelftestTools = map[string]string{
	"gcc": "gcc", "make": "make", "xz": "xz-utils", "perl": "perl",
	"/usr/include/stdio.h": "libc6-dev", "/usr/include/sys/capability.h": "libcap-dev",
}

// selftestParts are the parts of a kernel's source that its tests of Landlock are built
// from, with the headers of that kernel.
var selftestParts = []string{
	"*/Makefile", "*/scripts", "*/include/uapi", "*/include/asm-generic", "*/arch/x86/Makefile*", "*/arch/x86/tools",
	"*/arch/x86/include/uapi", "*/arch/x86/include/asm/Kbuild", "*/arch/x86/entry/syscalls", "*/usr/Makefile", "*/usr/include",
	"*/tools/include", "*/tools/scripts", "*/tools/testing/selftests/landlock", "*/tools/testing/selftests/*.h",
	"*/tools/testing/selftests/*.mk",
}

// selftestRecipe grows with changes of this file that change programs.
const selftestRecipe = "1"

// Selftests returns a directory with the kernel's own tests of Landlock, linked statically
// for amd64, of the source that Debian's kernel of a version was built from. What the
// build said is kept in the cache directory.
func (a *Archive) Selftests(ctx context.Context, series, version string) (string, error) {
	sum := sha256.Sum256([]byte(selftestRecipe + "\x00" + version))
	dir := filepath.Join(a.cache, "selftests", fmt.Sprintf("%s_%s", version, hex.EncodeToString(sum[:8])))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	tmp, err := os.MkdirTemp(a.cache, "selftests-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	log, err := os.Create(filepath.Join(a.cache, "build-selftests-"+version+".log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	tree, out := filepath.Join(tmp, "tree"), filepath.Join(tmp, "out")
	for _, d := range []string{out, filepath.Dir(dir)} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", err
		}
	}
	b := builder{ctx: ctx, log: log, tree: tree}
	parts := append([]string{"--wildcards", "--no-wildcards-match-slash"}, selftestParts...)
	if err := a.unpack(ctx, a.sourceOf(series, version), tree, &b, parts...); err != nil {
		return "", fmt.Errorf("source of %s: %w", version, err)
	}
	for _, step := range [][]string{
		{"make", "-s", "headers"},
		// As make -C tools/testing/selftests TARGETS=landlock does, and static.
		{"make", "-C", "tools/testing/selftests/landlock", "OUTPUT=" + out, "LDFLAGS=-static",
			"KHDR_INCLUDES=-isystem " + filepath.Join(tree, "usr/include")},
	} {
		if err := b.run(tree, nil, "nice", append([]string{"-n", "19"}, step...)...); err != nil {
			return "", fmt.Errorf("selftests of %s: %w", version, err)
		}
	}
	return dir, os.Rename(out, dir)
}
