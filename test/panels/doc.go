// SPDX-License-Identifier: Apache-2.0

// Package panels draws every panel of every dashboard that deploy/grafana ships, with the data of
// a simulated fleet in a real Prometheus, in a real browser. Grafana cannot be had in tests, and
// Perses can: the dashboards are translated for it, panel by panel, and its own components draw
// them.
package panels
