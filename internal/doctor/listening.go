// SPDX-License-Identifier: Apache-2.0

package doctor

// checkListening shows who can read the metrics. Another daemon may be configured
// otherwise: what is known here is only the default.
func checkListening(h *host, say say) {
	say(note, "listening", "on %s by default: --web.listen-address=:10644 opens the metrics to "+
		"other hosts, --web.config.file adds TLS and authentication", h.o.Address)
}
