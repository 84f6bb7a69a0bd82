// SPDX-License-Identifier: Apache-2.0

package check

import (
	"io"

	"github.com/landlockd/landlockd/internal/null"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// One is the result of one expectation for one process.
type One struct {
	Snapshot *scan.Snapshot
	Process  *scan.Process
	// Origin is whose snapshot it is, as [JSON] has it.
	Origin string
	Result policy.Result
	Reason policy.Reason
	// Why is what is missing or not known, in words.
	Why string
}

// Answer returns what it comes to.
func (o *One) Answer() Answer { return ofResult(o.Result) }

// Text writes it on one line.
func (o *One) Text(ascii bool) string {
	text := o.Result.String() + ": " + describe(o.Snapshot, o.Process, ascii)
	if o.Why != "" {
		text += "; " + untrusted.EscapeWords(o.Why, 0, ascii)
	}
	return text
}

// JSON writes it as one JSON object and a newline.
func (o *One) JSON(w io.Writer) error {
	return write(w, struct {
		Schema  string         `json:"schema"`
		Answer  Answer         `json:"answer"`
		Time    string         `json:"time"`
		Origin  string         `json:"origin"`
		Result  policy.Result  `json:"result"`
		Reason  *policy.Reason `json:"reason"`
		Why     *string        `json:"why"`
		Process any            `json:"process"`
	}{
		Schema, o.Answer(), timeText(o.Snapshot.Time), o.Origin, o.Result,
		null.Unless(o.Reason, policy.NoReason), null.Unless(o.Why, ""),
		recorded.Processes(o.Snapshot)(o.Process),
	})
}
