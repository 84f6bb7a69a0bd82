// SPDX-License-Identifier: Apache-2.0

// Package untrusted writes names, paths and other text that is chosen by whoever runs
// processes on the host. [Escape] is for terminals, [Text] and [EncodeText] for JSON:
// neither lets text act on a terminal, and neither writes two different texts alike,
// unless it shows that it cut one.
package untrusted
