// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/internal/lazyregexp"
)

const (
	maxGrace     = 24 * time.Hour
	maxProcesses = 1_000_000
	maxDepth     = 16 // deeper than that no kernel since Linux 5.19 nests
)

var labelName = lazyregexp.New(`^[a-z0-9_-]{1,63}$`)

// main reads the main file into c, and returns the patterns of rule files with
// their places.
func (d *decoder) main(n *yaml.Node, c *Config) []*yaml.Node {
	var rules *yaml.Node
	var files []*yaml.Node
	d.mapping(n,
		field{"rule_files", func(n *yaml.Node) {
			d.section(n, maxItems, func(n *yaml.Node) {
				if _, ok := d.text(n, "a path"); ok {
					files = append(files, n)
				}
			})
		}},
		field{"defaults", func(n *yaml.Node) {
			d.mapping(n,
				field{"grace", func(n *yaml.Node) { c.Defaults.Grace = d.grace(n) }},
				field{"severity", func(n *yaml.Node) { c.Defaults.Severity = d.severity(n) }})
		}},
		field{"assets", func(n *yaml.Node) { d.assets(n, c) }},
		field{"exempt", func(n *yaml.Node) {
			d.section(n, maxItems, func(n *yaml.Node) { c.Exempt = append(c.Exempt, d.exempt(n)) })
		}},
		// Rules need the defaults, which may stand behind them.
		field{"rules", func(n *yaml.Node) { rules = n }})
	if rules != nil {
		d.rules(rules, c)
	}
	return files
}

// ruleFile reads a file that the main one names.
func (d *decoder) ruleFile(n *yaml.Node, c *Config) {
	d.mapping(n,
		field{"assets", func(n *yaml.Node) { d.assets(n, c) }},
		field{"rules", func(n *yaml.Node) { d.rules(n, c) }})
}

func (d *decoder) rules(n *yaml.Node, c *Config) {
	d.section(n, maxRules-len(c.Rules), func(n *yaml.Node) {
		c.Rules = append(c.Rules, d.rule(n, c.Defaults))
	})
}

func (d *decoder) rule(n *yaml.Node, defaults Defaults) Rule {
	r := Rule{
		Grace: defaults.Grace, Severity: defaults.Severity,
		File: d.file, Line: n.Line, Column: n.Column,
	}
	seen := d.mapping(n,
		field{"name", func(n *yaml.Node) { r.Name, r.Line, r.Column = d.name(n), n.Line, n.Column }},
		field{"match", func(n *yaml.Node) { r.Match = d.match(n) }},
		field{"except", func(n *yaml.Node) {
			d.list(n, maxItems, func(n *yaml.Node) { r.Except = append(r.Except, d.except(n)) })
		}},
		field{"expect", func(n *yaml.Node) { r.Expect = d.expect(n) }},
		field{"grace", func(n *yaml.Node) { r.Grace = d.grace(n) }},
		field{"min_processes", func(n *yaml.Node) { r.MinProcesses = d.integer(n, 0, maxProcesses) }},
		field{"short_runs", func(n *yaml.Node) {
			r.ShortRunsViolate = d.word(n, "count", "violation") == 1
		}},
		field{"severity", func(n *yaml.Node) { r.Severity = d.severity(n) }},
		field{"accept", func(n *yaml.Node) { r.Accept = d.accept(n) }})
	if at := seen["except"]; at != nil &&
		slices.ContainsFunc(r.Except, func(m Match) bool { return m.Accept == nil && m.covers(&r.Match) }) {
		d.warn(at, "the rule is about nothing: except lets out all that match means")
	}
	for _, key := range [...]string{"name", "match"} {
		if seen != nil && seen[key] == nil {
			d.fail(n, "the rule has no %s", key)
		}
	}
	return r
}

// name reads what is the value of a label: of a rule, or of an asset.
func (d *decoder) name(n *yaml.Node) string {
	const want = "a name of 1 to 63 of the characters a-z, 0-9, _ and -"
	name, ok := d.text(n, want)
	if ok && !labelName().MatchString(name) {
		d.fail(n, "%s: want %s", quote(name), want)
	}
	return name
}

func (d *decoder) grace(n *yaml.Node) time.Duration {
	const want = "a time such as 10s, 2m or 1h30m, of at most 1d"
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" && n.Value == "0" {
		return 0
	}
	text, ok := d.text(n, want)
	if !ok {
		return 0
	}
	v, err := model.ParseDuration(text)
	if err != nil || time.Duration(v) > maxGrace {
		d.fail(n, "%s: want %s", quote(text), want)
	}
	return time.Duration(v)
}

func (d *decoder) severity(n *yaml.Node) string {
	return Severities()[d.word(n, Severities()...)]
}
