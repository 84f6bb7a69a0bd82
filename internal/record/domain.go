// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/json"
	"errors"

	"github.com/landlockd/landlockd/domainid"
)

func (l *loader) domain(value string) error {
	d := domainid.Domain{Rules: domainid.RulesUncounted}
	var parent domainid.ID
	var lineage, log string
	ruleset := noRuleset
	err := object(value,
		// Nothing can refer to one without a name.
		required("id", orNull(identifier(&d.ID))),
		required("parent", orNull(identifier(&parent))),
		required("depth", integer(&d.Depth, 1, 1<<16-1)),
		required("lineage", oneOf(&lineage, "known", "inferred", "unknown")),
		required("handled", objectOrNull(rightsMembers(&d.Handled)...)),
		required("handles_other", boolean(&d.HandlesOther)),
		required("rules", orNull(integer(&d.Rules, 0, 1<<32-1))),
		optional("ruleset_index", orNull(integer(&ruleset, 0, maxTasks))),
		optional("log", orNull(word(&log))),
		required("denials", orNull(func(s string) error { return json.Unmarshal([]byte(s), &d.Denials) })),
		required("creator", objectOrNull(
			required("pid", integer(&d.Creator.PID, -1<<31, 1<<31-1)),
			required("uid", integer(&d.Creator.UID, 0, 1<<32-1)),
			required("comm", text(&d.Creator.Comm, maxName)),
			optional("exe", orNull(encoded(&d.Creator.Exe, maxPath))),
		)),
	)
	if err != nil {
		return err
	}
	switch lineage {
	case "known":
		d.Lineage = domainid.LineageKnown
	case "inferred":
		d.Lineage = domainid.LineageInferred
	}
	if log != "" {
		if err := d.Log.UnmarshalText([]byte(log)); err != nil {
			return err
		}
	}
	if len(l.parents) == maxTasks {
		return errors.New("too many domains")
	}
	l.snap.Domains = append(l.snap.Domains, d)
	l.parents = append(l.parents, parent)
	l.rulesetOf = append(l.rulesetOf, ruleset)
	return nil
}
