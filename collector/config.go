// SPDX-License-Identifier: Apache-2.0

package collector

import "time"

// Config is the state of the configuration at one scrape.
type Config struct {
	// Loaded is the number of rules in force, Applied of those that were about
	// some process since they were loaded.
	Loaded, Applied int
	// Hash tells the configuration in force apart from others.
	Hash uint64
	// Reloaded reports whether the last attempt to load one succeeded.
	Reloaded bool
	// Since is when the one in force was loaded.
	Since time.Time
}

var configMetrics = newTable(func(s *Scrape) *Config { return s.Config }, []metric[Config]{
	{
		Doc: Doc{
			Name:    "landlockd_rules",
			Type:    Gauge,
			Help:    "Rules in force (loaded), and those of them that were about some process since they were loaded (applied).",
			Labels:  []Label{{"status", "`loaded`, `applied`"}},
			Present: "always",
		},
		values: func(c *Config, emit emitter) {
			emit(float64(c.Loaded), "loaded")
			emit(float64(c.Applied), "applied")
		},
	},
	{
		Doc: Doc{
			Name:    "landlockd_config_hash",
			Type:    Gauge,
			Help:    "Hash of the contents of the configuration file and of all rule files in force. Hosts with the same files have the same.",
			Present: "always",
		},
		values: func(c *Config, emit emitter) { emit(float64(c.Hash)) },
	},
	{
		Doc: Doc{
			Name:    "landlockd_config_last_reload_successful",
			Type:    Gauge,
			Help:    "1 if the last attempt to load the configuration succeeded. If 0, the rules from before it are in force.",
			Present: "always",
		},
		values: func(c *Config, emit emitter) { emit(boolValue(c.Reloaded)) },
	},
	{
		Doc: Doc{
			Name:    "landlockd_config_last_reload_success_timestamp_seconds",
			Type:    Gauge,
			Help:    "Time at which the configuration in force was loaded, in seconds since the epoch.",
			Present: "always",
		},
		values: func(c *Config, emit emitter) { emit(unixSeconds(c.Since)) },
	},
})
