// SPDX-License-Identifier: Apache-2.0

// Package client asks a running landlockd, at its Unix socket, for what the calling process may
// see: docs/api.md says what that is. All text in answers is of others' choice, and not cleaned.
package client

import (
	"context"
	"encoding/json"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/scan"
)

// DefaultSocket is where a landlockd listens by default.
const DefaultSocket = api.DefaultPath

// ErrAbsent is in the error of asking where no landlockd listens.
var ErrAbsent = api.ErrAbsent

// Refused is the error of a landlockd that does not answer: Word is one of docs/api.md.
type Refused = api.Refused

// Snapshot returns what a scan that began after the call found of the processes that the caller
// may see; its Part is true if that is not the whole host.
func Snapshot(ctx context.Context, socket string) (*scan.Snapshot, error) {
	return api.AskSnapshot(ctx, socket)
}

// Log calls line with each line of the log: what happened last, and with the query
// "follow=true" what happens, until ctx is done or line returns an error. docs/api.md has the
// parameters and what is in a line.
func Log(ctx context.Context, socket, query string, line func(json.RawMessage) error) error {
	return api.EachLine(ctx, socket, "/v1/log?"+query, func(text []byte) error {
		return line(append(json.RawMessage{}, text...))
	})
}

// Get returns the answer to a path of docs/openapi.yaml with its query, such as
// "/v1/processes?workload=cron.service".
func Get(ctx context.Context, socket, path string) (json.RawMessage, error) {
	return api.Get(ctx, socket, path)
}
