// SPDX-License-Identifier: Apache-2.0

// Package mixin tests what deploy/prometheus and deploy/grafana ship, with
// Prometheus' and Alertmanager's own programs: rules and alerts over series
// whose course is written down (testdata/rules), inhibitions in an
// Alertmanager that runs, and every query of every dashboard in a Prometheus
// that scrapes a simulated fleet.
package mixin

//go:generate ../../deploy/prometheus/render.sh ../../deploy
//go:generate go test -run ^TestCosts$ -update .
