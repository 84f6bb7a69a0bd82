// SPDX-License-Identifier: Apache-2.0

package denials

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/null"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// denialJSON is a denial in the forms of docs/json.md: null is what is not known.
type denialJSON struct {
	Time      time.Time       `json:"time"`
	Count     uint64          `json:"count"`
	Domain    domainid.ID     `json:"domain"`
	Blockers  []string        `json:"blockers"`
	PID       *int32          `json:"pid"`
	TID       *int32          `json:"tid"`
	StartNS   *uint64         `json:"start_ns,string"`
	Comm      *untrusted.Text `json:"comm"`
	Exe       *untrusted.Text `json:"exe"`
	Object    ObjectKind      `json:"object"`
	Path      *untrusted.Text `json:"path"`
	Port      *uint16         `json:"port"`
	TargetPID *int32          `json:"target_pid"`
	SameExec  *bool           `json:"same_exec"`
	Logged    *bool           `json:"logged"`
}

// MarshalJSON encodes the denial.
func (d Denial) MarshalJSON() ([]byte, error) {
	j := denialJSON{
		Time: d.Time.UTC(), Count: d.Count, Domain: d.Domain, Blockers: d.Blockers,
		PID: null.Unless(d.PID, 0), TID: null.Unless(d.TID, 0), StartNS: null.Unless(d.Start, 0),
		Comm: untrusted.OrNull(d.Comm), Exe: untrusted.OrNull(d.Exe),
		Object: d.Object, Path: untrusted.OrNull(d.Path), TargetPID: null.Unless(d.TargetPID, 0),
		SameExec: answerJSON(d.SameExec), Logged: answerJSON(d.Logged),
	}
	if d.Object == Port {
		j.Port = &d.Port // 0 is one, too
	}
	if j.Blockers == nil {
		j.Blockers = []string{}
	}
	return json.Marshal(j)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (d *Denial) UnmarshalJSON(b []byte) error {
	var j denialJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("denial: %w", err)
	}
	for _, name := range j.Blockers {
		if !IsWord(name) {
			return fmt.Errorf("denial: %.40q is no name of a blocker", name)
		}
	}
	*d = Denial{
		Time: j.Time, Count: j.Count, Domain: j.Domain, Blockers: j.Blockers,
		PID: null.Or(j.PID, 0), TID: null.Or(j.TID, 0), Start: null.Or(j.StartNS, 0),
		Comm: string(null.Or(j.Comm, "")), Exe: string(null.Or(j.Exe, "")),
		Object: j.Object, Path: string(null.Or(j.Path, "")), Port: null.Or(j.Port, 0),
		TargetPID: null.Or(j.TargetPID, 0),
		SameExec:  answerOf(j.SameExec), Logged: answerOf(j.Logged),
	}
	return nil
}

func answerJSON(a access.Answer) *bool {
	if a == access.Unknown {
		return nil
	}
	yes := a == access.Yes
	return &yes
}

func answerOf(yes *bool) access.Answer {
	if yes == nil {
		return access.Unknown
	}
	return access.Between(*yes, *yes)
}

// IsWord reports whether text can be the name of a blocker or of a way to read denials,
// of this landlockd or of a newer one.
func IsWord(text string) bool {
	others := strings.TrimLeft(text, "abcdefghijklmnopqrstuvwxyz0123456789_.")
	return others == "" && text != "" && len(text) <= 40
}
