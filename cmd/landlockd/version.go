// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/prometheus/common/version"

	"github.com/landlockd/landlockd/collector"
)

// build returns what this binary was built from. The Makefile and release.sh have the linker
// set version's variables.
func build() collector.Build {
	return collector.Build{
		Version: version.Version, Revision: version.GetRevision(),
		Branch: version.Branch, GoVersion: version.GoVersion,
		GoOS: version.GoOS, GoArch: version.GoArch, Tags: version.GetTags(),
	}
}
