// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"

	"github.com/landlockd/landlockd/domainid"
)

// Asking returns a source whose snapshots say which assets processes are kept from, even if
// another source finds out nothing of the objects of paths. assets is called once for each
// scan.
func Asking(s Source, assets func() []domainid.Asset) Source { return asking{s, assets} }

type asking struct {
	Source
	assets func() []domainid.Asset
}

func (a asking) Scan(ctx context.Context) (*Snapshot, error) {
	snap, err := a.Source.Scan(ctx)
	if err != nil || snap.Assets != nil {
		return snap, err
	}
	if snap.Assets = a.assets(); len(snap.Assets) > 0 {
		snap.Conclude()
	}
	return snap, nil
}
