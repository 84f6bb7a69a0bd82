// SPDX-License-Identifier: Apache-2.0

package sources

import (
	"cmp"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/resolver"
	"github.com/landlockd/landlockd/taskiter"
)

// OpenAssets has scans look, with this process's rights, at what assets are. Without a source
// that can, they do not.
func (f *Found) OpenAssets(o Options, assets func() []domainid.Asset) error {
	if f.Iterator == nil {
		return nil
	}
	local, err := resolver.OpenLocal(cmp.Or(o.RootFS, "/"), assets)
	if err != nil {
		return err
	}
	f.AskForAssets(local)
	return nil
}

// AskForAssets has scans ask a resolver what assets are. It must not be called during a scan.
func (f *Found) AskForAssets(r taskiter.Resolver) {
	if f.Iterator != nil {
		f.Iterator.Resolve(r)
	}
}
