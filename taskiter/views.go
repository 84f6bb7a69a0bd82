// SPDX-License-Identifier: Apache-2.0

package taskiter

import "github.com/landlockd/landlockd/domainid"

// views collects the views of a scan, each once.
type views struct {
	all []domainid.View
	at  map[viewKey]int32
}

// viewKey is all that a view is.
type viewKey struct {
	domain     int32
	doubt      domainid.Doubt
	everywhere [ruleLayers]uint32
}

func newViews() views { return views{at: map[viewKey]int32{}} }

func (v *views) begin() {
	// The snapshot has the others. There are mostly as many as before.
	v.all = make([]domainid.View, 0, len(v.all)+len(v.all)/8)
	clear(v.at)
}

// of returns the place of the view of a task in a domain, which has its place in
// the snapshot, or domainid.NoView.
func (v *views) of(p *pass, r *taskRecord, domain int32) int32 {
	k := viewKey{domain: domain}
	switch objectView(r.View) {
	case objectViewVIEW_NONE:
		return domainid.NoView
	case objectViewVIEW_READ:
		if n := r.granted(); n > 0 {
			k.everywhere = p.granted[n-1]
			clear(k.everywhere[min(int(r.Depth), ruleLayers):])
		}
	case objectViewVIEW_CHANGING:
		k.doubt = domainid.RootChanging
	case objectViewVIEW_TOO_DEEP:
		k.doubt = domainid.RootTooDeep
	case objectViewVIEW_DETACHED:
		k.doubt = domainid.RootDetached
	case objectViewVIEW_OUTSIDE:
		k.doubt = domainid.CwdOutside
	default:
		k.doubt = domainid.RulesUnread
	}
	i, ok := v.at[k]
	if !ok {
		i = int32(len(v.all))
		v.at[k] = i
		view := domainid.View{Domain: domain, Doubt: k.doubt}
		if k.everywhere != [ruleLayers]uint32{} {
			view.Everywhere = append([]uint32(nil), k.everywhere[:r.Depth]...)
		}
		v.all = append(v.all, view)
	}
	return i
}
