// SPDX-License-Identifier: Apache-2.0

package runs

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/enum"
	"github.com/landlockd/landlockd/internal/null"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

var kinds = enum.Words[Kind]{"run", "launch"}

func (k Kind) String() string { return kinds.Of(k) }

// MarshalText encodes the word.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *Kind) UnmarshalText(b []byte) error { return kinds.Parse(k, b, "kind of an end") }

// endedJSON is what ended in the forms of docs/json.md: null is what is not known.
type endedJSON struct {
	Time       time.Time       `json:"time"`
	Count      uint64          `json:"count"`
	Kind       Kind            `json:"kind"`
	PID        *int32          `json:"pid"`
	StartNS    *uint64         `json:"start_ns,string"`
	Age        *float64        `json:"age"`
	Comm       *untrusted.Text `json:"comm"`
	Exe        *untrusted.Text `json:"exe"`
	ExeCut     bool            `json:"exe_cut"`
	ExeDeleted bool            `json:"exe_deleted"`
	ExeOrigin  scan.Origin     `json:"exe_origin"`
	UID        *uint32         `json:"uid"`
	Workload   *untrusted.Text `json:"workload"`
	State      scan.State      `json:"state"`
	Depth      *uint16         `json:"depth"`
	Rules      []ruleJSON      `json:"rules"`
}

type ruleJSON struct {
	Rule     string  `json:"rule"`
	Severity string  `json:"severity"`
	Result   string  `json:"result"`
	Reason   *string `json:"reason"`
}

// MarshalJSON encodes it.
func (e Ended) MarshalJSON() ([]byte, error) {
	j := endedJSON{
		Time: e.Time.UTC(), Count: e.Count, Kind: e.Kind, PID: null.Unless(e.PID, 0),
		StartNS: null.Unless(e.Start, 0), Comm: untrusted.OrNull(e.Comm), Exe: untrusted.OrNull(e.Exe),
		ExeCut: e.ExeCut, ExeDeleted: e.ExeDeleted, ExeOrigin: e.ExeOrigin,
		UID: null.Unless(e.UID, scan.NoUser), Workload: untrusted.OrNull(e.Workload),
		State: e.State, Rules: make([]ruleJSON, len(e.Rules)),
	}
	if e.Start != 0 {
		j.Age = new(e.Age.Seconds())
	}
	if e.State != scan.Unknown {
		j.Depth = &e.Depth
	}
	for i, r := range e.Rules {
		j.Rules[i] = ruleJSON{r.Rule, r.Severity, r.Result, null.Unless(r.Reason, "")}
	}
	return json.Marshal(j)
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (e *Ended) UnmarshalJSON(b []byte) error {
	var j endedJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	age := null.Or(j.Age, 0) * float64(time.Second)
	switch {
	case j.PID != nil && *j.PID < 1:
		return fmt.Errorf("run: %d is no PID", *j.PID)
	case age < 0 || age >= math.MaxInt64:
		return fmt.Errorf("run: %g s is no age", *j.Age)
	}
	*e = Ended{
		Time: j.Time, Count: j.Count, Kind: j.Kind, PID: null.Or(j.PID, 0), Start: null.Or(j.StartNS, 0),
		Age: time.Duration(math.Round(age)), Comm: string(null.Or(j.Comm, "")),
		Exe:    string(null.Or(j.Exe, "")),
		ExeCut: j.ExeCut, ExeDeleted: j.ExeDeleted, ExeOrigin: j.ExeOrigin,
		UID: null.Or(j.UID, scan.NoUser), Workload: string(null.Or(j.Workload, "")),
		State: j.State, Depth: null.Or(j.Depth, 0),
	}
	for _, r := range j.Rules {
		x := EndedRule{r.Rule, r.Severity, r.Result, null.Or(r.Reason, "")}
		for _, word := range []string{x.Rule, x.Severity, x.Result, x.Reason + "_"} {
			if !isWord(word) {
				return fmt.Errorf("run: %.40q is no word of a rule", word)
			}
		}
		e.Rules = append(e.Rules, x)
	}
	return nil
}

// isWord reports whether text can be a rule's name or a word about it.
func isWord(text string) bool {
	others := strings.TrimLeft(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")
	return others == "" && text != "" && len(text) <= 64
}
