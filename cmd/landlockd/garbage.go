// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// collectLate has garbage collected for the first time when there are 16 MB: most commands end
// before. From then on it is as usual, so that beside many processes they take no more. GOGC, if it
// is set, has the last word.
func collectLate() {
	const firstAt16MB, usual = 400, 100
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(firstAt16MB)
	first := new([16]byte) // the first collection finds that nobody needs it
	runtime.AddCleanup(first, func(int) { debug.SetGCPercent(usual) }, 0)
}
