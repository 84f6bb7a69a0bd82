// SPDX-License-Identifier: Apache-2.0

package doctor

// checkMore says where each line is explained.
func checkMore(_ *host, say say) {
	say(ok, "more", "what each line means, and what to do about it: docs/troubleshooting.md "+
		"(https://github.com/landlockd/landlockd/blob/main/docs/troubleshooting.md)")
}
