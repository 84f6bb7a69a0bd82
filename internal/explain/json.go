// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/view"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what JSON writes. Members may be added to objects.
const Schema = "landlockd/explain/v1"

type explanationJSON struct {
	Schema    string        `json:"schema"`
	Time      string        `json:"time"`
	Process   any           `json:"process"`
	Domains   []any         `json:"domains"`
	Rulesets  []any         `json:"rulesets"`
	Free      int           `json:"threads_in_no_domain"`
	Unknown   int           `json:"threads_unknown"`
	Sandboxes []sandboxJSON `json:"sandboxes"`
	NoPlaces  *string       `json:"paths_not_sought"`
	Rules     []ruleJSON    `json:"rules"`
	Sockets   *socketsJSON  `json:"sockets"`
	Denials   *denialsJSON  `json:"denials"`
}

type denialsJSON struct {
	NotKnown   *string          `json:"not_known"`
	Way        *string          `json:"way"`
	Fed        bool             `json:"fed"`
	Lost       uint64           `json:"lost"`
	Remembered int              `json:"remembered"`
	Last       []denials.Denial `json:"last"`
}

type sandboxJSON struct {
	Threads int           `json:"threads"`
	Domains []domainid.ID `json:"domains"`
	Layers  []domainid.ID `json:"layers"`
	May     []deedJSON    `json:"may"`
}

type deedJSON struct {
	Rights []string    `json:"rights"`
	What   string      `json:"what"`
	Where  string      `json:"where"`
	May    May         `json:"may"`
	Why    Why         `json:"why"`
	Ports  []uint16    `json:"ports"`
	Below  []limitJSON `json:"below"`
	More   bool        `json:"more_not_known"`
	// Together are the paths that all of below grant, null if not known.
	Together []view.Text `json:"below_all"`
}

type limitJSON struct {
	Depth int        `json:"layer_depth"`
	Files []fileJSON `json:"files"`
}

type fileJSON struct {
	Path   *view.Text `json:"path"`
	Dev    string     `json:"dev"`
	Ino    string     `json:"ino"`
	FSRoot bool       `json:"filesystem_root"`
}

type ruleJSON struct {
	Name     string          `json:"name"`
	Severity string          `json:"severity"`
	Applies  string          `json:"applies"`
	Result   *policy.Outcome `json:"result"`
	Why      *string         `json:"why"`
}

type socketsJSON struct {
	Reachable []socketJSON `json:"reachable"`
	Listening int          `json:"listening"`
	Inside    int          `json:"inside"`
	Kept      keptJSON     `json:"kept_away_by"`
	Gaps      []string     `json:"not_decided"`
}

type keptJSON struct {
	Landlock   int `json:"landlock"`
	Path       int `json:"path"`
	Permission int `json:"permission"`
}

type socketJSON struct {
	Name     view.Text `json:"name"`
	Abstract bool      `json:"abstract"`
	Holders  []any     `json:"holders"`
	Doubt    *string   `json:"doubt"`
}

// JSON writes the explanation as one JSON object and a newline.
func (e *Explanation) JSON(w io.Writer) error {
	s := e.Snapshot
	process := view.Processes(s)
	j := explanationJSON{
		Schema: Schema, Time: s.Time.UTC().Format(time.RFC3339Nano), Process: process(e.Process),
		Free: e.Free, Unknown: e.Unknown, Sandboxes: []sandboxJSON{}, NoPlaces: orNull(e.NoPlaces), Rules: []ruleJSON{},
	}
	var domains []int32
	for i := range e.Sandboxes {
		b := &e.Sandboxes[i]
		k := sandboxJSON{Threads: b.Tasks, Domains: []domainid.ID{}, Layers: []domainid.ID{}}
		for _, d := range b.Domains {
			if d != domainid.Outermost {
				k.Domains = append(k.Domains, s.Domains[d].ID)
			}
			chain := slices.Collect(domainid.Chain(s.Domains, d))
			slices.Reverse(chain)
			for _, at := range chain {
				if !slices.Contains(domains, at) {
					domains = append(domains, at)
				}
			}
		}
		for _, d := range b.Chain(s) {
			k.Layers = append(k.Layers, s.Domains[d].ID)
		}
		for n := range b.Deeds {
			k.May = append(k.May, e.deedJSON(&b.Deeds[n]))
		}
		j.Sandboxes = append(j.Sandboxes, k)
	}
	j.Domains, j.Rulesets = view.DomainObjects(s, domains)
	for i := range e.Rules {
		j.Rules = append(j.Rules, newRuleJSON(&e.Rules[i]))
	}
	if e.Sockets != nil {
		j.Sockets = e.socketsJSON(process)
	}
	if d := e.Denials; d != nil {
		j.Denials = &denialsJSON{orNull(d.NotKnown), orNull(d.Way), d.Fed, d.Lost, d.Remembered, append([]denials.Denial{}, d.Last...)}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // what is escaped is decided by view.Text
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

func (e *Explanation) deedJSON(d *Deed) deedJSON {
	j := deedJSON{What: d.What(), Where: d.Where(), May: d.May, Why: d.Why, Ports: d.Ports, Below: []limitJSON{}, More: d.More}
	for _, r := range d.Rights {
		j.Rights = append(j.Rights, r.Name)
	}
	if d.Rights[0].Class != access.Net || d.May != Limited {
		j.Ports = nil
	}
	for _, l := range d.Limits {
		k := limitJSON{Depth: l.Depth, Files: []fileJSON{}}
		for _, f := range l.Files {
			x := fileJSON{Dev: view.DeviceText(f.Dev), Ino: strconv.FormatUint(f.Ino, 10), FSRoot: f.FSRoot}
			if path, found := e.Places[File{f.Dev, f.Ino}]; found {
				text := view.Text(path)
				x.Path = &text
			}
			k.Files = append(k.Files, x)
		}
		j.Below = append(j.Below, k)
	}
	if together, known := e.Together(d); known {
		j.Together = make([]view.Text, len(together))
		for i, path := range together {
			j.Together[i] = view.Text(path)
		}
	}
	return j
}

func newRuleJSON(x *policy.Explanation) ruleJSON {
	j := ruleJSON{Name: x.Rule.Name, Severity: x.Rule.Severity, Applies: x.Applies, Why: orNull(x.Why)}
	if x.Applies != "no" {
		j.Result = &x.Outcome
		if x.Why == "" {
			j.Why = orNull(x.Text)
		}
	}
	return j
}

func (e *Explanation) socketsJSON(process func(*scan.Process) any) *socketsJSON {
	k := e.Sockets
	j := &socketsJSON{Reachable: []socketJSON{}, Listening: k.Listening, Inside: k.Inside, Kept: keptJSON(k.Kept), Gaps: append([]string{}, k.Gaps...)}
	for i := range k.Reachable {
		r := &k.Reachable[i]
		x := socketJSON{Name: view.Text(r.Name), Abstract: r.Abstract, Holders: []any{}, Doubt: orNull(r.Doubt)}
		for _, pid := range r.Holders {
			if p := e.Snapshot.Find(pid); p != nil {
				x.Holders = append(x.Holders, process(p))
			}
		}
		j.Reachable = append(j.Reachable, x)
	}
	return j
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
