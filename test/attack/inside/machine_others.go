// SPDX-License-Identifier: Apache-2.0

//go:build !amd64

package inside

// machine are the calls that only this architecture has: none.
func machine() []attack { return nil }
