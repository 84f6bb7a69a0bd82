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

// noting is a source of which the domains that come are noted.
type noting struct {
	scan.Source
	arrivals *api.Arrivals
}

func (n noting) Scan(ctx context.Context) (*scan.Snapshot, error) {
	snap, err := n.Source.Scan(ctx)
	if err == nil {
		n.arrivals.Note(snap)
	}
	return snap, err
}

// serveAPI serves at the socket, if there is one, until the result is called.
func (d *Daemon) serveAPI(o api.Options) (stop func()) {
	if d.api == nil {
		return func() {}
	}
	server := api.NewServer(o)
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
