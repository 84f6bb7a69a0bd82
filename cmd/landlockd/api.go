// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/explain"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// apiSettings are where the socket of the API is.
type apiSettings struct {
	socket   string
	wasGiven bool
}

func (a *apiSettings) flags(command *kingpin.CmdClause, help string) {
	command.Flag("api.socket", help).Default(api.DefaultPath).PlaceHolder("PATH").IsSetByUser(&a.wasGiven).StringVar(&a.socket)
}

func (a *apiSettings) validate() error {
	if a.socket != "" && !filepath.IsAbs(a.socket) {
		return usageError{fmt.Errorf("--api.socket %q: want an absolute path, or nothing for no socket", a.socket)}
	}
	return nil
}

// openAPI makes the socket; nil if there is to be none. Where the usual one cannot
// be made (a container's root is read-only, or another landlockd runs here), the
// metrics are worth a start without.
func (s *settings) openAPI() (*net.UnixListener, error) {
	if s.api.socket == "" {
		return nil, nil //nolint:nilnil // none is none
	}
	l, err := api.Listen(s.api.socket)
	switch {
	case err == nil:
		return l, nil
	case s.api.wasGiven:
		return nil, fmt.Errorf("--api.socket: %w", err)
	}
	level := slog.LevelWarn
	if errors.Is(err, unix.EROFS) || errors.Is(err, unix.ENOENT) { // a container's /run
		level = slog.LevelInfo
	}
	s.logger.Log(context.Background(), level, "No API: landlockd explain cannot ask this daemon for denials; --api.socket= says that this is meant", "err", err)
	return nil, nil //nolint:nilnil // none is none
}

// serveAPI serves at the socket, if there is one, until the result is called.
func (s *settings) serveAPI(l *net.UnixListener, shared *scan.Shared, monitor *denials.Monitor) (stop func()) {
	if l == nil {
		return func() {}
	}
	server := api.NewServer(api.Options{Scans: shared, Denials: monitor, Logger: s.logger})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !api.IsClosed(err) {
			s.logger.Error("The API is served no more", "err", err)
		}
	}()
	return func() {
		_ = server.Close()
		<-done
	}
}

// askTime is how long explain waits for the daemon: a second at most until a scan
// may be made, and the scan.
const askTime = 15 * time.Second

// addDenials asks the daemon for the last denials of the process.
func (s *settings) addDenials(e *explain.Explanation) {
	if s.api.socket == "" || s.check.snapshot != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	d, err := api.AskDenials(ctx, s.api.socket, e.Process.PID)
	if err != nil {
		e.Denials = &explain.Denials{NotKnown: whyNotAsked(err)}
		return
	}
	e.Denials = &explain.Denials{Way: d.Way, Fed: d.Fed, Lost: d.Lost, Remembered: d.Remembered}
	switch {
	case d.Way == api.Off:
		e.Denials.NotKnown = "the daemon runs with --no-collector.denials"
	case !d.Fed:
		e.Denials.NotKnown = "here the kernel tells only how many there are, or nothing; landlockd doctor says how to have more"
	}
	e.Denials.Last = e.DenialsOf(d.Denials)
}

// whyNotAsked returns in words why the daemon did not answer.
func whyNotAsked(err error) string {
	var refused *api.Refused
	switch {
	case errors.Is(err, api.ErrAbsent):
		return "no daemon runs that could have been told of them (" + untrusted.OneLine(err.Error()) + ")"
	case errors.As(err, &refused):
		return untrusted.OneLine(refused.Message)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("the daemon did not answer in %s", askTime)
	default:
		return "the daemon could not be asked: " + untrusted.OneLine(err.Error())
	}
}
