// SPDX-License-Identifier: Apache-2.0

package known

// DefaultFiles are where files of known programs are: those that landlockd's package brings, and
// those of the host.
func DefaultFiles() []string {
	return []string{"/usr/lib/landlockd/known.d/*.yml", "/etc/landlockd/known.d/*.yml"}
}
