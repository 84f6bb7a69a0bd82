// SPDX-License-Identifier: Apache-2.0

package systemd

import (
	"errors"
	"path/filepath"

	"github.com/landlockd/landlockd/test/vm"
)

// deb is landlockd's package, as it is released.
func deb(r *runner, dir string) error {
	if r.Daemon != "" {
		return errors.New("a package is built from the tree, not from another landlockd")
	}
	return vm.Deb(r.ctx, r.Module, "amd64", filepath.Join(dir, "landlockd.deb"))
}
