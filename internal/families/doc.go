// SPDX-License-Identifier: Apache-2.0

// Package families makes what a [prometheus.Registry] gathers of constant metrics, in memory
// that is used again: for whoever has new values for the same tables at each scrape.
//
// What comes of it is what a registry returns for the same series, message by message.
package families
