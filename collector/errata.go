// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/scan"
)

// collectErrata emits a series for each erratum that is known here, so that neither a
// newer kernel nor a false answer makes more: none for an erratum of what this kernel
// does not have, and none at all if the kernel does not report its fixes.
func collectErrata(ch chan<- prometheus.Metric, k *scan.Kernel) {
	if !k.ErrataKnown {
		return
	}
	for _, e := range access.Errata() {
		fixed := k.Errata>>(e.Number-1)&1 != 0
		if fixed || k.ABI >= e.ABI {
			emit(ch, erratumFixed, boolValue(fixed), strconv.Itoa(e.Number))
		}
	}
}
