// SPDX-License-Identifier: Apache-2.0

package policy

import "github.com/landlockd/landlockd/access"

// Unmatched is a rule without a result: it was about no process, as far as is
// known, and needs none.
type Unmatched struct {
	Rule *Rule
	// Applies reports whether it is about a process: No, or Unknown, if that is not
	// known of some process, or not all of the host is seen.
	Applies access.Answer
}
