// SPDX-License-Identifier: Apache-2.0

package known

import (
	"io"
	"time"

	"github.com/landlockd/landlockd/internal/null"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what JSON writes: docs/schema/known-v1.json.
const Schema = "landlockd/known/v1"

type programJSON struct {
	Program   string          `json:"program"`
	Verdict   Verdict         `json:"verdict"`
	When      policy.When     `json:"when"`
	Who       policy.Who      `json:"who"`
	ABI       int             `json:"abi"`
	Tested    bool            `json:"tested"`
	Installed []installedJSON `json:"installed"`
	Processes processesJSON   `json:"processes"`
	Elsewhere int             `json:"elsewhere"`
	PIDs      []int32         `json:"pids"`
	Reasons   []string        `json:"reasons"`
	ToDo      *string         `json:"to_do"`
}

type installedJSON struct {
	Path    untrusted.Text  `json:"path"`
	Package *untrusted.Text `json:"package"`
	Version *untrusted.Text `json:"version"`
}

type processesJSON struct {
	Sandboxed   int `json:"sandboxed"`
	Weaker      int `json:"weaker"`
	Partial     int `json:"partial"`
	Unsandboxed int `json:"unsandboxed"`
	Unknown     int `json:"unknown"`
	Starting    int `json:"starting"`
}

// JSON writes what is known as one JSON object and a newline. origin is where the snapshot is
// from, as internal/check has it.
func JSON(w io.Writer, s *scan.Snapshot, r *Report, origin string) error {
	j := struct {
		Schema    string        `json:"schema"`
		Time      string        `json:"time"`
		Origin    string        `json:"origin"`
		Known     int           `json:"known"`
		NotLooked *string       `json:"not_looked"`
		Programs  []programJSON `json:"programs"`
	}{
		Schema, s.Time.UTC().Format(time.RFC3339Nano), origin, r.Known,
		null.Unless(untrusted.OneLine(r.NotLooked), ""), make([]programJSON, 0, len(r.Programs)),
	}
	for i := range r.Programs {
		p := &r.Programs[i]
		o := programJSON{
			Program: p.Name, Verdict: p.Verdict, When: p.When, Who: p.Who, ABI: p.ABI,
			Tested: len(p.Tests) > 0, Installed: []installedJSON{}, Processes: processesJSON(p.Processes),
			Elsewhere: p.Elsewhere,
			PIDs:      append([]int32{}, p.PIDs...), Reasons: append([]string{}, p.Reasons...),
			ToDo: null.Unless(p.ToDo, ""),
		}
		for _, at := range p.Installed {
			o.Installed = append(o.Installed, installedJSON{
				untrusted.Text(at.Path), untrusted.OrNull(at.Package), untrusted.OrNull(at.Version),
			})
		}
		j.Programs = append(j.Programs, o)
	}
	enc := untrusted.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}
