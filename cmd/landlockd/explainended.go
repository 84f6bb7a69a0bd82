// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"slices"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/internal/untrusted"
)

// explainEnded writes what the daemon remembers of a process that has ended. It returns
// missing, the error of not having found it, if that is nothing.
func (x *explainProcess) explainEnded(out io.Writer, missing error) error {
	if x.socket.path == "" || x.recorded() || x.subject.name != "" {
		return missing
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	pid := x.subject.pid
	answer, err := api.AskRuns(ctx, x.socket.path, pid)
	if err != nil {
		return missing
	}
	others := func(e runs.Ended) bool { return e.PID != pid }
	if answer.Runs = slices.DeleteFunc(answer.Runs, others); len(answer.Runs) == 0 {
		return missing
	}
	return buffered(out, func(w io.Writer) error {
		if x.format == formatJSON {
			enc := untrusted.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(answer)
		}
		return explain.EndedText(w, answer.Runs, answer.Remembered, x.ascii(), terminalWidth())
	})
}
