// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

type hostJSON struct {
	KernelRelease untrusted.Text    `json:"kernel_release"`
	Landlock      scan.Availability `json:"landlock"`
	ABI           int               `json:"abi" min:"0" max:"65536"`
	NestingLimit  int               `json:"nesting_limit" read:"no"`
	// Rights are those that this kernel can restrict for certain, RightsUnknown
	// those of which it is not known.
	Rights        rightsJSON `json:"rights"`
	RightsUnknown rightsJSON `json:"rights_unknown"`
	// Errata has a bit for each fix that this kernel has.
	Errata *mask `json:"errata"`
	// WaysPast are ways past a right that are open, and WaysPastUnknown those of
	// which it is not known.
	WaysPast        []string `json:"ways_past"`
	WaysPastUnknown []string `json:"ways_past_unknown"`
}

func newHostJSON(k *scan.Kernel) *hostJSON {
	j := &hostJSON{
		KernelRelease:   untrusted.Text(k.Release),
		Landlock:        k.Landlock,
		ABI:             k.ABI,
		NestingLimit:    k.NestingLimit(),
		Rights:          *newRightsJSON(k.Rights.Sure),
		RightsUnknown:   *newRightsJSON(k.Rights.Unknown()),
		WaysPast:        wayNames(k.Ways),
		WaysPastUnknown: wayNames(k.WaysUnknown),
	}
	if k.ErrataKnown {
		j.Errata = new(mask(k.Errata))
	}
	return j
}

func (j *hostJSON) kernel() (k scan.Kernel, err error) {
	k = scan.Kernel{
		Release: string(j.KernelRelease), Landlock: j.Landlock, ABI: j.ABI,
		Errata: uint32(orZero(j.Errata)), ErrataKnown: j.Errata != nil,
	}
	k.Rights.Sure = j.Rights.rights()
	k.Rights.May = k.Rights.Sure.Union(j.RightsUnknown.rights())
	if k.Ways, err = parseWays("ways_past", j.WaysPast); err == nil {
		k.WaysUnknown, err = parseWays("ways_past_unknown", j.WaysPastUnknown)
	}
	if err == nil && (k.Landlock == scan.Enabled) != (k.ABI > 0) {
		err = fmt.Errorf("it has Landlock %s, but of ABI %d", k.Landlock, k.ABI)
	}
	return k, err
}

// wayNames returns ways past a right, "net.connect_tcp by mptcp".
func wayNames(ways access.Ways) []string {
	all := ways.All()
	names := make([]string, 0, len(all))
	for _, w := range all {
		names = append(names, w.String())
	}
	return names
}

func parseWays(member string, names []string) (ways access.Ways, err error) {
	all := access.AllWays()
	for _, name := range names {
		i := slices.IndexFunc(all, func(w access.Way) bool { return w.String() == name })
		if i < 0 {
			return 0, within(member, fmt.Errorf("%.60q is no way past a right", name))
		}
		ways |= all[i].Ways()
	}
	return ways, nil
}

// checkSource refuses words that no source has.
func checkSource(s *scan.SourceInfo) error {
	for _, c := range []struct{ name, word, words string }{
		{"source", s.Name, "taskiter procattr both"},
		{"ids", s.IDs, "kernel derived none"},
		{"lineage", s.Lineage, "known inferred none"},
		{"rules", s.Rules, "read unread none"},
		{"denials", s.Denials, "tracepoints audit counters none"},
		{"runs", s.Runs, "tracepoints none"},
		{"pidns", s.PIDNS, "init nested"},
	} {
		if !slices.Contains(strings.Fields(c.words), c.word) {
			return within(c.name, fmt.Errorf("%.40q is none of %s", c.word, c.words))
		}
	}
	return nil
}

type scanJSON struct {
	Time     string      `json:"time"`
	Uptime   nanoseconds `json:"uptime" read:"optional"`
	Duration nanoseconds `json:"duration"`
	Tasks    int         `json:"tasks" min:"0"`
	Passes   int         `json:"passes" min:"0"`
	// DomainsUnread are those that budgets left out.
	DomainsUnread int `json:"domains_unread" min:"0"`
	// Part: it has only what whoever asked a daemon may see.
	Part bool `json:"part,omitempty" read:"optional"`
}

func newScanJSON(s *scan.Snapshot) scanJSON {
	return scanJSON{
		Time:          s.Time.UTC().Format(time.RFC3339Nano),
		Uptime:        nanoseconds(max(0, s.Uptime)),
		Duration:      nanoseconds(max(0, s.Duration)),
		Tasks:         s.TasksRead,
		Passes:        s.Passes,
		DomainsUnread: s.DomainsUnread,
		Part:          s.Part,
	}
}

func (j *scanJSON) fill(s *scan.Snapshot) error {
	at, err := time.Parse(time.RFC3339Nano, j.Time)
	if err != nil {
		return within("scan.time", errors.New("want one such as 2025-03-01T11:00:00.5Z"))
	}
	s.Time, s.Uptime, s.Duration = at.UTC(), time.Duration(j.Uptime), time.Duration(j.Duration)
	s.TasksRead, s.Passes, s.DomainsUnread = j.Tasks, j.Passes, j.DomainsUnread
	s.Part = j.Part
	return nil
}
