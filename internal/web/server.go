// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

// MaxConnections is what one listener serves at a time: each connection costs
// some 20 kB, and descriptors, without which no scan can be made.
const MaxConnections = 256

// Server serves at some listeners until it is stopped.
type Server struct {
	http      *http.Server
	listeners []*drainable
	ended     chan error
}

// Serve begins to serve, with TLS and authentication as the web configuration at a path
// has them; without a path there is neither. The listeners belong to the server from
// then on.
func Serve(ls []net.Listener, h http.Handler, config string, logger *slog.Logger) *Server {
	s := &Server{
		http: &http.Server{
			ErrorLog: newClientLog(config, logger),
			Handler:  noting(h), ConnContext: withConn, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
			WriteTimeout: 70 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		},
		ended: make(chan error, 1),
	}
	limited := make([]net.Listener, len(ls))
	for i, l := range ls {
		d := newDrainable(limit(l, MaxConnections))
		s.listeners, limited[i] = append(s.listeners, d), d
	}
	go func() {
		err := web.ServeMultiple(limited, s.http, &web.FlagConfig{WebConfigFile: &config}, logger)
		s.ended <- fmt.Errorf("serve: %w", err)
	}()
	return s
}

// Failed gets why the server does not serve any more, unless it is stopped.
func (s *Server) Failed() <-chan error { return s.ended }

// Stop accepts nobody any more, answers who is there already, and ends.
func (s *Server) Stop() error {
	drain(s.http, s.listeners)
	if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
