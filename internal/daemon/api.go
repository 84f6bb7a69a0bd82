// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/inforce"
	"github.com/landlockd/landlockd/internal/runs"
	"github.com/landlockd/landlockd/scan"
)

// openAPI makes the socket; nil if there is to be none. Where the usual one cannot
// be made (a container's root is read-only, or another landlockd runs here), the
// metrics are worth a start without.
func openAPI(o Options) (*net.UnixListener, error) {
	if o.Socket == "" {
		return nil, nil //nolint:nilnil // none is none
	}
	l, err := api.Listen(o.Socket)
	switch {
	case err == nil:
		return l, nil
	case o.SocketRequired:
		return nil, fmt.Errorf("--api.socket: %w", err)
	}
	level := slog.LevelWarn
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.ENOENT) { // a container's /run
		level = slog.LevelInfo
	}
	o.Logger.Log(context.Background(), level,
		"No API: commands such as landlockd explain cannot ask this daemon; "+
			"--api.socket= shows that this is meant", "err", err)
	return nil, nil //nolint:nilnil // none is none
}

// serveAPI serves at the socket, if there is one, until the result is called.
func (d *Daemon) serveAPI(
	shared *scan.Shared, rules *inforce.Set, monitor *denials.Monitor, tally *runs.Tally,
) (stop func()) {
	if d.api == nil {
		return func() {}
	}
	server := api.NewServer(api.Options{
		Scans: shared, Denials: monitor, Runs: tally, RunsOff: !d.o.Runs, Judge: rules.Judge,
		Logger: d.o.Logger,
	})
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(d.api); !errors.Is(err, http.ErrServerClosed) {
			d.o.Logger.Error("The API is served no more", "err", err)
		}
	})
	return func() {
		_ = server.Close()
		serving.Wait()
	}
}
