// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"

	"github.com/landlockd/landlockd/internal/api"
)

const socketFlag = "api.socket"

// apiSocket is where the API's socket is.
type apiSocket struct {
	path  string
	given bool
}

func (a *apiSocket) flags(c *kingpin.CmdClause, help string) {
	c.Flag(socketFlag, help).Default(api.DefaultPath).PlaceHolder("PATH").
		IsSetByUser(&a.given).StringVar(&a.path)
}

func (a *apiSocket) validate() error {
	if a.path != "" && !filepath.IsAbs(a.path) {
		return usagef("--api.socket %q: want an absolute path, or nothing for no socket", a.path)
	}
	return nil
}
