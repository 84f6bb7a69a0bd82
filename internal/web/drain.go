// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// stopTimeout is how long requests that are under way may take while a server stops.
const stopTimeout = 5 * time.Second

// drainTime is how long a connection that was accepted before SIGTERM has for its
// request to arrive: http.Server.Shutdown closes those whose request it reads later,
// without an answer. With a socket of systemd, nobody else would be turned away.
const drainTime = 100 * time.Millisecond

// drainable is a listener that can stop before its server does.
type drainable struct {
	net.Listener
	stopped, closed chan struct{}
	once            sync.Once
}

func newDrainable(l net.Listener) *drainable {
	return &drainable{Listener: l, stopped: make(chan struct{}), closed: make(chan struct{})}
}

// Accept blocks between stop and Close.
func (l *drainable) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		select {
		case <-l.stopped:
			<-l.closed
		default:
		}
	}
	return c, err
}

// stop accepts nobody any more. It is called once.
func (l *drainable) stop() {
	close(l.stopped)
	_ = l.Listener.Close()
}

// Close implements net.Listener.
func (l *drainable) Close() error {
	l.once.Do(func() { close(l.closed) })
	select {
	case <-l.stopped:
		return nil
	default:
		return l.Listener.Close()
	}
}

// drain stops the listeners, then the server, with stopTimeout for what is under way.
func drain(server *http.Server, listeners []*drainable) {
	for _, l := range listeners {
		l.stop()
	}
	time.Sleep(drainTime)
	deadline, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		_ = server.Close()
	}
}
