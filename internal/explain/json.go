// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// Schema names the form of what JSON writes: docs/schema/explain-v1.json. Members may be added.
const Schema = "landlockd/explain/v1"

type explanationJSON struct {
	Schema string `json:"schema"`
	Time   string `json:"time"`
	// Origin is "daemon", "scan" or "file", null if that is not known.
	Origin   *string        `json:"origin"`
	Summary  untrusted.Text `json:"summary"`
	Process  any            `json:"process"`
	Domains  []any          `json:"domains"`
	Rulesets []any          `json:"rulesets"`
	Free     int            `json:"threads_in_no_domain"`
	Unknown  int            `json:"threads_unknown"`
	// Ineffective: it is sandboxed and restricted in nothing.
	Ineffective access.Answer `json:"ineffective"`
	// Whole is what holds for all threads in domains, null if none is in one.
	Whole *meaningJSON `json:"as_a_whole"`
	// Mounts: all its domains deny to mount, null if no thread is in one.
	Mounts        *access.Answer `json:"mounts_denied"`
	Roots         []Root         `json:"root_directories"`
	NoRoots       *string        `json:"root_directories_not_known"`
	OutsideWorker access.Answer  `json:"outside_worker"`
	Workers       []workerJSON   `json:"workers"`
	Sandboxes     []sandboxJSON  `json:"sandboxes"`
	NoPlaces      *string        `json:"paths_not_sought"`
	Assets        []assetJSON    `json:"assets"`
	Rules         []ruleJSON     `json:"rules"`
	Sockets       *socketsJSON   `json:"sockets"`
	Denials       *denialsJSON   `json:"denials"`
}

// meaningJSON is what being in domains comes to. Rights have their names.
type meaningJSON struct {
	Handles        []string `json:"handles"`
	HandlesPerhaps []string `json:"handles_perhaps"`
	// Restricts is null where rules are not read.
	Restricts        []string `json:"restricts"`
	RestrictsPerhaps []string `json:"restricts_perhaps"`
	// Doubt has the reasons for which something of this is not known.
	Doubt []string `json:"doubt"`
}

type layerJSON struct {
	Domain domainid.ID `json:"domain"`
	meaningJSON
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
	TIDs    []int32       `json:"tids"`
	Domains []domainid.ID `json:"domains"`
	Layers  []domainid.ID `json:"layers"`
	// ByLayer is what each of Layers comes to for these threads.
	ByLayer []layerJSON `json:"by_layer"`
	// Effective: some right is restricted.
	Effective access.Answer    `json:"effective"`
	Doubt     []string         `json:"doubt"`
	May       []permissionJSON `json:"may"`
}

type permissionJSON struct {
	Rights []string        `json:"rights"`
	What   string          `json:"what"`
	Where  string          `json:"where"`
	Effect domainid.Effect `json:"may"`
	Reason domainid.Reason `json:"why"`
	// Doubt is why may is unknown; where it is limited, why less may be allowed.
	Doubt []string `json:"doubt"`
	// ButBy are the names of ways past the rights that this kernel leaves open, and
	// PerhapsBy of those of which that is not known.
	ButBy     []string `json:"but_by"`
	PerhapsBy []string `json:"but_perhaps_by"`
	Ports     []uint16 `json:"ports"`
	// But are the ports on which it may not be done, where may is everywhere.
	But   []uint16    `json:"but_ports"`
	Below []limitJSON `json:"below"`
	More  bool        `json:"more_not_known"`
	// Together are the paths that all of below grant, null if not known.
	Together []untrusted.Text `json:"below_all"`
}

type limitJSON struct {
	Depth int        `json:"layer_depth"`
	Files []fileJSON `json:"files"`
	More  bool       `json:"more_not_known"`
}

type fileJSON struct {
	Path   *untrusted.Text `json:"path"`
	Dev    string          `json:"dev"`
	Ino    string          `json:"ino"`
	FSRoot bool            `json:"filesystem_root"`
	// Gone: the process finds it by no path, for certain.
	Gone bool `json:"gone"`
}

type socketsJSON struct {
	Reachable []socketJSON `json:"reachable"`
	Listening int          `json:"listening"`
	Inside    int          `json:"inside"`
	Kept      Kept         `json:"kept_away_by"`
	Gaps      []string     `json:"not_decided"`
}

type socketJSON struct {
	Name     untrusted.Text `json:"name"`
	Abstract bool           `json:"abstract"`
	Datagram bool           `json:"datagram"`
	Holders  []any          `json:"holders"`
	Doubt    *string        `json:"doubt"`
}

// JSON writes the explanation as one JSON object and a newline.
func (e *Explanation) JSON(w io.Writer) error {
	s := e.Snapshot
	process := recorded.Processes(s)
	j := explanationJSON{
		Schema: Schema, Time: s.Time.UTC().Format(time.RFC3339Nano), Process: process(e.Process),
		Origin: recorded.OrNull(e.Origin), Summary: untrusted.Text(e.Summary(func(text string) string { return text })),
		Free: e.Free, Unknown: e.Unknown, Ineffective: s.Ineffective(e.Process),
		OutsideWorker: s.OutsideWorker(e.Process), Workers: e.workersJSON(),
		Sandboxes: []sandboxJSON{}, NoPlaces: recorded.OrNull(e.NoPlaces), Rules: e.rulesJSON(),
		Assets: e.assetsJSON(),
	}
	if sandbox, inside := s.SandboxOf(e.Process); inside {
		whole := newMeaningJSON(s, sandbox.Handles, sandbox.Restricts, sandbox.Doubt)
		j.Whole, j.Mounts = &whole, new(e.DeniesMounts())
	}
	j.Roots, j.NoRoots = e.Roots.json()
	var domains unique[int32]
	for i := range e.Sandboxes {
		b := &e.Sandboxes[i]
		j.Sandboxes = append(j.Sandboxes, e.sandboxJSON(b))
		for _, d := range b.Domains() {
			chain := slices.Collect(domainid.Chain(s.Domains, d))
			slices.Reverse(chain)
			for _, at := range chain {
				domains.add(at)
			}
		}
	}
	j.Domains, j.Rulesets = recorded.Domains(s, domains.all)
	if e.Sockets != nil {
		j.Sockets = e.socketsJSON(process)
	}
	if d := e.Denials; d != nil {
		j.Denials = &denialsJSON{
			recorded.OrNull(d.NotKnown), recorded.OrNull(d.Way), d.Fed, d.Lost, d.Remembered,
			append([]denials.Denial{}, d.Last...),
		}
	}
	enc := untrusted.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

func (e *Explanation) sandboxJSON(b *Sandbox) sandboxJSON {
	s := e.Snapshot
	j := sandboxJSON{
		Threads: len(b.TIDs), TIDs: []int32{},
		Domains: []domainid.ID{}, Layers: []domainid.ID{}, ByLayer: []layerJSON{},
		Effective: b.Means.Effective(), Doubt: words(b.Means.Doubt),
	}
	for _, tid := range b.TIDs {
		if tid != 0 { // a snapshot in JSON leaves out which threads are alike
			j.TIDs = append(j.TIDs, tid)
		}
	}
	for _, d := range b.Domains() {
		j.Domains = append(j.Domains, s.Domains[d].ID)
	}
	for i := range b.Layers {
		l := &b.Layers[i]
		id := s.Domains[l.Domain].ID
		j.Layers = append(j.Layers, id)
		means := newMeaningJSON(s, l.Handles, l.Restricts, l.Doubt)
		j.ByLayer = append(j.ByLayer, layerJSON{id, means})
	}
	for n := range b.Permissions {
		j.May = append(j.May, e.permissionJSON(&b.Permissions[n]))
	}
	return j
}

func newMeaningJSON(
	s *scan.Snapshot, handles, restricts access.Bounds, doubt domainid.Doubt,
) meaningJSON {
	j := meaningJSON{Doubt: words(doubt)}
	j.Handles, j.HandlesPerhaps = boundsJSON(s, handles)
	if s.Source.Rules == "read" {
		j.Restricts, j.RestrictsPerhaps = boundsJSON(s, restricts)
	}
	return j
}

// boundsJSON names the rights that are in a set for certain and, of those that have
// a name and that this kernel has, those that may be in it.
func boundsJSON(s *scan.Snapshot, b access.Bounds) (sure, perhaps []string) {
	open := b.Unknown().Intersect(s.Kernel.Rights.May)
	return access.Names(b.Sure), access.Names(open.Without(unnamed(open)))
}

// words has a word for each reason, and is never null.
func words(d domainid.Doubt) []string { return append([]string{}, d.Words()...) }

func wayNames(w access.Ways) []string {
	ways := w.All()
	names := make([]string, len(ways))
	for i, way := range ways {
		names[i] = way.Name
	}
	return names
}

func (e *Explanation) permissionJSON(d *Permission) permissionJSON {
	j := permissionJSON{
		What: d.What(), Where: d.WhereText(), Effect: d.Effect, Reason: d.Reason, Doubt: words(d.Doubt),
		ButBy: wayNames(d.ButBy), PerhapsBy: wayNames(d.PerhapsBy),
		Below: []limitJSON{}, More: d.MorePorts,
	}
	for _, r := range d.Rights {
		j.Rights = append(j.Rights, r.Name)
	}
	if d.Rights[0].Class == access.Net {
		if d.Effect == domainid.Limited {
			j.Ports = append([]uint16{}, d.Ports...)
		}
		if j.But = []uint16{}; d.ButZero {
			j.But = append(j.But, 0)
		}
	}
	for _, l := range d.Limits {
		k := limitJSON{Depth: l.Depth, Files: []fileJSON{}, More: l.More}
		j.More = j.More || l.More
		for _, f := range l.Files {
			x := fileJSON{Dev: recorded.DeviceText(f.Dev), Ino: strconv.FormatUint(f.Ino, 10), FSRoot: f.FSRoot,
				Gone: e.Gone[File{f.Dev, f.Ino}]}
			if path, found := e.Places[File{f.Dev, f.Ino}]; found {
				text := untrusted.Text(path)
				x.Path = &text
			}
			k.Files = append(k.Files, x)
		}
		j.Below = append(j.Below, k)
	}
	if together, known := e.Together(d); known {
		j.Together = make([]untrusted.Text, len(together))
		for i, path := range together {
			j.Together[i] = untrusted.Text(path)
		}
	}
	return j
}

func (e *Explanation) socketsJSON(process func(*scan.Process) any) *socketsJSON {
	k := e.Sockets
	j := &socketsJSON{
		Reachable: []socketJSON{}, Listening: k.Listening, Inside: k.Inside,
		Kept: k.Kept, Gaps: append([]string{}, k.Gaps...),
	}
	for i := range k.Reachable {
		r := &k.Reachable[i]
		x := socketJSON{
			Name: untrusted.Text(r.Name), Abstract: r.Abstract, Datagram: r.Datagram, Holders: []any{},
			Doubt: recorded.OrNull(r.Doubt),
		}
		for _, pid := range r.Holders {
			if p := e.Snapshot.Find(pid); p != nil {
				x.Holders = append(x.Holders, process(p))
			}
		}
		j.Reachable = append(j.Reachable, x)
	}
	return j
}
