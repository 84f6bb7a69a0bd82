// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/landlockd/landlockd/test/vm"
	"github.com/landlockd/landlockd/test/vm/aptroot"
)

// packages are what the guest has beside Debian's essential ones.
const packages = "systemd,systemd-sysv,dbus,procps,init-system-helpers"

// debian is a directory with a minimal Debian with systemd, made once and kept. Who
// uses it puts an overlay over it.
var debian = sync.OnceValues(func() (string, error) {
	ctx := context.Background()
	list, suite, err := aptroot.MachineList(ctx)
	if err != nil {
		return "", err
	}
	cache, err := vm.Cache("deploy")
	if err != nil {
		return "", err
	}
	h := sha256.Sum256([]byte(suite + packages))
	final := filepath.Join(cache, suite+"-"+hex.EncodeToString(h[:8]))
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(cache, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	settings, err := aptroot.MachineSettings(ctx)
	if err != nil {
		return "", err
	}
	// The mirror's index may be older than its own idea of fresh; signatures are
	// checked as always.
	settings += "Acquire::Check-Valid-Until \"false\";\n"
	sources, conf, root := filepath.Join(tmp, "sources.list"), filepath.Join(tmp, "apt.conf"), filepath.Join(tmp, "root")
	for name, text := range map[string]string{sources: list, conf: settings} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	args := []string{"--variant=minbase", "--mode=root", "--format=directory", "--include=" + packages, "--aptopt=" + conf}
	if _, err := tryIn(ctx, "", nil, "mmdebstrap", append(args, suite, root, sources)...); err != nil {
		return "", err
	}
	return final, os.Rename(root, final)
})

// inOverlay runs a shell script with a copy of the Debian mounted at $root, in a
// mount namespace of its own.
func inOverlay(ctx context.Context, dir, script string, args ...string) (string, error) {
	lower, err := debian()
	if err != nil {
		return "", err
	}
	head := fmt.Sprintf("mount -t tmpfs tmpfs %[2]q; mkdir %[2]q/upper %[2]q/work %[2]q/root; root=%[2]q/root\n"+
		"mount -t overlay -o %[1]q overlay \"$root\"\n", strings.Join([]string{"lowerdir=" + lower, "upperdir=" + dir + "/upper", "workdir=" + dir + "/work"}, ","), dir)
	all := append([]string{"--mount", "--propagation=private", "bash", "-euo", "pipefail", "-c", head + script, "script"}, args...)
	return tryIn(ctx, "", nil, "unshare", all...)
}
