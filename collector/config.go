// SPDX-License-Identifier: Apache-2.0

package collector

import "time"

// Config is the state of the configuration at one scrape.
type Config struct {
	// Loaded is the number of rules in force, Applied of those that were about
	// some process since they were loaded.
	Loaded, Applied int
	// Hash is that of the configuration in force: another one has another hash.
	Hash uint64
	// Reloaded reports whether the last attempt to load one succeeded.
	Reloaded bool
	// Since is when the one in force was loaded.
	Since time.Time
}

var configMetrics = newTable(func(s *Scrape) *Config { return s.Config }, []metric[Config]{
	{
		name: "landlockd_rules",
		help: "Rules in force (loaded), and those of them that were about some process since " +
			"they were loaded (applied).",
		labels:  []Label{{"status", "`loaded`, `applied`"}},
		present: "always",
		values: func(c *Config, emit emitter) {
			emit(float64(c.Loaded), "loaded")
			emit(float64(c.Applied), "applied")
		},
	},
	{
		name: "landlockd_config_hash",
		help: "Hash of the contents of the configuration file and of all rule files in force. " +
			"Hosts with the same files have the same.",
		present: "always",
		values:  func(c *Config, emit emitter) { emit(float64(c.Hash)) },
	},
	{
		name: "landlockd_config_last_reload_successful",
		help: "1 if the last attempt to load the configuration succeeded. If 0, the rules from " +
			"before it are in force.",
		present: "always",
		values:  func(c *Config, emit emitter) { emit(boolValue(c.Reloaded)) },
	},
	{
		name:    "landlockd_config_last_reload_success_timestamp_seconds",
		help:    "Time at which the configuration in force was loaded, in seconds since the epoch.",
		present: "always",
		values:  func(c *Config, emit emitter) { emit(unixSeconds(c.Since)) },
	},
})
