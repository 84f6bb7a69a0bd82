// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// showLog shows what the daemon remembers of what happened, and what happens.
type showLog struct {
	socket   apiSocket
	drawing  drawing
	follow   bool
	only     string
	pid      int32
	workload string
	last     int
	format   string
}

// lastOfFollowed is how many lines come before those of what happens now.
const lastOfFollowed = 10

func (l *showLog) declare(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("log", "Show what the daemon saw: processes that ended unsandboxed or broke a "+
		"rule, what Landlock denied, domains that came.")
	c.Flag("follow", "Go on with what happens.").Short('f').BoolVar(&l.follow)
	c.Flag("only", "Of all that, only these, separated by commas: "+
		strings.Join(api.LogKinds(), ", ")+".").PlaceHolder("KINDS").StringVar(&l.only)
	c.Flag("pid", "Only what is about this process.").Int32Var(&l.pid)
	c.Flag("workload", "Only what is about the workload of this name.").PlaceHolder("NAME").
		StringVar(&l.workload)
	c.Flag("last", "Begin with so many of those that the daemon remembers; by default with all, "+
		fmt.Sprintf("with --follow with %d.", lastOfFollowed)).Default("-1").PlaceHolder("N").IntVar(&l.last)
	c.Flag("output", "Form of the answer: text, jsonl.").Short('o').Default(formatText).
		EnumVar(&l.format, formatText, formatLines)
	l.drawing.flags(c, "Write")
	l.socket.flags(c, "Unix socket of the daemon.")
	return c
}

func (l *showLog) validate() error {
	for _, kind := range l.kinds() {
		if !slices.Contains(api.LogKinds(), kind) {
			return usagef("--only %q: want some of %s, separated by commas", kind,
				strings.Join(api.LogKinds(), ", "))
		}
	}
	switch {
	case l.pid < 0:
		return usagef("--pid is %d, but cannot be negative", l.pid)
	case l.last > 1<<15:
		return usagef("--last is %d, and no daemon remembers so much", l.last)
	case l.socket.path == "":
		return usagef("--api.socket is empty: the daemon alone has a log")
	}
	return l.socket.validate()
}

func (l *showLog) kinds() []string {
	if l.only == "" {
		return nil
	}
	return strings.Split(l.only, ",")
}

func (l *showLog) query() url.Values {
	q, last := url.Values{}, l.last
	if l.follow {
		q.Set("follow", "true")
		if last < 0 {
			last = lastOfFollowed
		}
	}
	if last >= 0 {
		q.Set("last", strconv.Itoa(last))
	}
	if l.pid != 0 {
		q.Set("pid", strconv.Itoa(int(l.pid)))
	}
	for name, value := range map[string]string{"only": l.only, "workload": l.workload} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

func (l *showLog) run(out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	if !l.follow {
		ctx, cancel = context.WithTimeout(context.Background(), askTime)
	}
	defer cancel()
	err := api.AskLog(ctx, l.socket.path, l.query(), func(line *api.LogLine) error {
		if l.format == formatLines {
			return untrusted.NewEncoder(out).Encode(line)
		}
		text := explain.LogLine(line, l.drawing.ascii())
		if line.Start != nil {
			text = l.missing(line.Start)
		}
		if text == "" {
			return nil
		}
		_, err := fmt.Fprintln(out, text)
		return err
	})
	if err == nil && l.follow {
		err = errors.New("the daemon ends the log: this process may not see it any more")
	}
	return err
}

// missing returns in words what the daemon does not collect, of what is asked for.
func (l *showLog) missing(s *api.LogStart) string {
	var missing []string
	wants := func(kind string) bool { return l.only == "" || slices.Contains(l.kinds(), kind) }
	if wants(api.LogRuns) && s.Runs != scan.RunsTracepoints {
		missing = append(missing, "processes that end ("+untrusted.OneLine(s.Runs)+")")
	}
	if way := s.Denials; wants(api.LogDenials) && way != scan.DenialsTracepoints && way != scan.DenialsAudit {
		missing = append(missing, "single denials ("+untrusted.OneLine(way)+")")
	}
	if len(missing) == 0 {
		return ""
	}
	return "Not reported here: " + strings.Join(missing, ", ") + "; landlockd doctor says why"
}
