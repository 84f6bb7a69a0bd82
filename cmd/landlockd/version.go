// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/landlockd/landlockd/collector"
)

// version is set by the build (-ldflags "-X main.version=...").
var version = "dev"

// build returns what this binary was built from.
func build() collector.Build {
	b := collector.Build{Version: version, Revision: "unknown", GoVersion: runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Revision = s.Value
			}
		}
	}
	return b
}

func versionText() string {
	b := build()
	return fmt.Sprintf("landlockd %s (revision %s, %s, %s/%s)",
		b.Version, b.Revision, b.GoVersion, runtime.GOOS, runtime.GOARCH)
}
