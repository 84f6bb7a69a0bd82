// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/explain/apart"
)

// lookApart is the child of explain, which nobody need wait for.
type lookApart struct{}

func (*lookApart) declare(app *kingpin.Application) *kingpin.CmdClause {
	return app.Command(apart.Command, "Look at a process for explain.").Hidden()
}

func (*lookApart) validate() error { return nil }

func (*lookApart) run(out io.Writer) error {
	// It was executed as /proc/self/exe. If it stays, people are to know what it is.
	_ = os.WriteFile("/proc/self/comm", []byte("landlockd"), 0)
	return apart.Serve(os.Stdin, out)
}
