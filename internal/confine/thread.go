// SPDX-License-Identifier: Apache-2.0

package confine

import "github.com/landlockd/landlockd/internal/landlock"

// Thread takes from the calling thread what a program has no use for that it is to start: all
// capabilities but those of keep that it has, the session keyring, and the way to get more.
func Thread(keep []int) error {
	p := Plan{Goal: Goal{UID: -1, GID: -1, Bounding: true}}
	for _, c := range keep {
		if Permitted(c) {
			p.Keep = append(p.Keep, c)
		}
	}
	for _, step := range []func() error{
		newKeyring, p.prepareCapabilities, p.dropCapabilities, landlock.NoNewPrivs,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
