// SPDX-License-Identifier: Apache-2.0

package top

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/table"
)

func (m *model) denials() list {
	text := func(d *denials.Denial) (string, []string) {
		return fmt.Sprint(d.PID, " ", d.Comm, " ", d.Exe, " ", what(d), " ", object(d)), nil
	}
	all := keep(slices.Clone(m.sight.Denials.Last), m.filter, text)
	return list{
		keys: keysOf(all, func(d *denials.Denial) string {
			return fmt.Sprint(d.PID, d.Start, d.Domain, d.Blockers, d.Object, d.Path, d.Port, d.TargetPID)
		}),
		write: func(w io.Writer, from, to int, style table.Style) error {
			return writeDenials(w, all[from:to], style)
		},
		open: func(i int) {
			d := &all[i]
			p := m.sight.Snapshot.Find(d.PID)
			about := explain.Explanation{Snapshot: m.sight.Snapshot, Process: p}
			if p == nil || len(about.DenialsOf(all[i:i+1])) == 0 {
				m.said = fmt.Sprintf("Process %d has ended: landlockd explain %d shows what is remembered",
					d.PID, d.PID)
				return
			}
			m.explain(p)
		},
	}
}

func writeDenials(w io.Writer, all []denials.Denial, style table.Style) error {
	t := table.Table{Style: style,
		Titles: []string{"TIME", "PID", "COMMAND", "DENIED", "OBJECT", "TIMES"}}
	for i := range all {
		d := &all[i]
		t.Row(table.Text(d.Time.Local().Format(time.DateTime)), table.Number(int(d.PID)), t.Name(d.Comm),
			t.Words(what(d)), t.Words(object(d)), table.Text(fmt.Sprint(d.Count)))
	}
	return t.Write(w)
}

func what(d *denials.Denial) string { return strings.Join(d.Blockers, ",") }

// object is what an access was to: text of others.
func object(d *denials.Denial) string {
	switch {
	case d.Object == denials.Port:
		return fmt.Sprint("port ", d.Port)
	case d.Object == denials.Task && d.TargetPID != 0:
		return fmt.Sprint("process ", d.TargetPID, " ", d.Path)
	default:
		return d.Path
	}
}
