// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"slices"
	"strings"
)

// servingEnv returns what the serving stage needs of an environment: what tunes Go's
// runtime, and the time zone. The rest are secrets as often as not: those of a container,
// or of the shell of whoever started landlockd.
func servingEnv(environ []string) []string {
	needed := []string{"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "TZ"}
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return !slices.Contains(needed, name)
	})
}
