// SPDX-License-Identifier: Apache-2.0

package web

import "net/http"

// reloadPath is where the configuration is loaded again, as in Prometheus.
const reloadPath = "/-/reload"

// newReload returns the handler that loads the configuration again; nil means
// that nobody may do so over HTTP. What was wrong with the configuration is for
// the log alone: it has names of files and may quote them.
func newReload(reload func() error) http.HandlerFunc {
	// A browser on this host must not do it for a page of another site.
	guard := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case reload == nil:
			plain(w, http.StatusForbidden, "Lifecycle API is not enabled: "+
				"start landlockd with --web.enable-lifecycle.\n")
		case guard.Check(r) != nil:
			plain(w, http.StatusForbidden, "Not for requests from pages of other sites.\n")
		case reload() != nil:
			plain(w, http.StatusInternalServerError, "The configuration was not loaded, "+
				"and the rules are as they were. landlockd's log shows why.\n")
		default:
			plain(w, http.StatusOK, "The configuration was loaded.\n")
		}
	}
}
