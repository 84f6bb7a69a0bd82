// SPDX-License-Identifier: Apache-2.0

package daemon

import "golang.org/x/sys/unix"

// timerSlack is how much later than asked for, in ns, the kernel may end a sleep.
const timerSlack = 1_000_000

// wakeLater has the kernel wake this thread, and all threads of the program that it goes on to
// execute, less precisely. Go's runtime has a thread that sleeps 20 us at a time while any other
// works, to find those that work for 10 ms without a break: beside a scan, which waits for the
// kernel most of the time, that thread took a tenth of all processor time. Nothing here needs a
// time that is more exact. Where a filter refuses it, that tenth is lost and nothing else.
func wakeLater() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0) }
