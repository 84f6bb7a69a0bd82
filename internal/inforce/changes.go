// SPDX-License-Identifier: Apache-2.0

package inforce

import (
	"log/slog"
	"maps"
	"time"

	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

const (
	// maxChanges is how many changes are logged in one minute.
	maxChanges = 20
	// maxText is how many columns of others' text a line has for each name.
	maxText = 256
)

// changes logs when a rule comes to be violated, and when it is so no longer.
type changes struct {
	log   queue
	clock func() time.Time
	// violated are the rules that the last scan found so, by name.
	violated map[string]bool
	began    time.Time // of the current minute
	logged   int       // in that
	left     int       // not logged
}

// Offender is a process that violates a rule. Its text is of others' choice.
type Offender struct {
	PID      int32 // 0 if it is not known
	Exe      string
	UID      uint32
	Workload string
}

func newChanges(logger *slog.Logger) changes {
	return changes{log: queue{logger: logger}, clock: time.Now, violated: map[string]bool{}}
}

// keep forgets all rules but those of a configuration.
func (c *changes) keep(config *policy.Config) {
	if len(c.violated) == 0 {
		return
	}
	names := map[string]bool{}
	for i := range config.Rules {
		names[config.Rules[i].Name] = true
	}
	maps.DeleteFunc(c.violated, func(name string, _ bool) bool { return !names[name] })
}

// note takes note of what a scan found.
func (c *changes) note(s *scan.Snapshot, r *policy.Evaluation) {
	c.begin()
	for i := range r.Rules {
		rule := &r.Rules[i]
		name := rule.Rule.Name
		switch {
		case rule.Violated == c.violated[name]:
		case rule.Violated:
			c.violated[name] = true
			v, o := firstOf(s, rule)
			c.line(slog.LevelWarn, "Rule violated", v, o)
		default:
			delete(c.violated, name)
			c.line(slog.LevelInfo, "Rule no longer violated", policy.Verdict{Rule: rule.Rule}, Offender{})
		}
	}
}

// firstOf returns the first violation of a rule that is violated, and who does that.
func firstOf(s *scan.Snapshot, r *policy.RuleEvaluation) (policy.Verdict, Offender) {
	v, o := policy.Verdict{Rule: r.Rule, Result: policy.Violating}, Offender{}
	pid := r.First[policy.Violating]
	if len(r.Violations) > 0 {
		first := &r.Violations[0]
		v.Reason, o.Workload = first.Reason, first.Workload
		if pid = 0; len(first.PIDs) > 0 {
			pid = first.PIDs[0]
		}
	}
	if p := s.Find(pid); p != nil {
		o.PID, o.Exe, o.UID = p.PID, p.Exe, p.UID
		if w := s.WorkloadOf(p); w != nil {
			o.Workload = w.Name
		}
	}
	return v, o
}

func (c *changes) broken(v policy.Verdict, o Offender, processes uint64) {
	c.begin()
	c.line(slog.LevelWarn, "Rule broken by a process that ended", v, o, "processes", processes)
}

// begin begins another minute if one is over, and logs how many changes that one left out.
func (c *changes) begin() {
	now := c.clock()
	if age := now.Sub(c.began); age >= 0 && age < time.Minute {
		return
	}
	if c.left > 0 {
		const text = "More rules changed than are logged in a minute"
		if !c.log.add(slog.LevelWarn, text, "left_out", c.left) {
			return
		}
	}
	c.began, c.logged, c.left = now, 0, 0
}

func (c *changes) line(level slog.Level, text string, v policy.Verdict, o Offender, more ...any) {
	args := []any{"rule", v.Rule.Name, "severity", v.Rule.Severity}
	if v.Reason != policy.NoReason {
		args = append(args, "reason", v.Reason)
	}
	if o.PID != 0 {
		args = append(args, "pid", o.PID, "exe", untrusted.Escape(o.Exe, maxText, true))
		if o.UID != scan.NoUser {
			args = append(args, "uid", o.UID)
		}
	}
	if o.Workload != "" {
		args = append(args, "workload", untrusted.Escape(o.Workload, maxText, true))
	}
	if c.logged == maxChanges || !c.log.add(level, text, append(args, more...)...) {
		c.left++
		return
	}
	c.logged++
}
