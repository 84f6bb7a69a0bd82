// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/landlockd/landlockd/domainid"
)

// answerTime is how long an answer is waited for, once: while it is late, assets are
// unreadable, and nobody waits.
const answerTime = 2 * time.Second

// Remote asks another process what assets are. One that has ended, or answers what was not
// asked, is not asked again.
type Remote struct {
	asked
	conn    net.Conn
	process int32
	logger  *slog.Logger
	answers chan answer
	of      []domainid.Asset // of the last Resolve
	number  uint64           // of the last request
	due     bool             // it has not been answered
	opened  bool             // what was answered is of use
	lost    bool
	gone    chan struct{} // closed when nobody reads answers any more
	lose    func()
}

type answer struct {
	number uint64
	text   []byte
	err    error
}

// NewRemote returns a resolver that asks a process over a connection, which it owns.
func NewRemote(conn net.Conn, process int32, logger *slog.Logger) *Remote {
	r := &Remote{
		conn: conn, process: process, logger: logger,
		answers: make(chan answer), gone: make(chan struct{}),
	}
	r.lose = sync.OnceFunc(func() { close(r.gone) })
	go r.read()
	return r
}

// read passes answers on until there are no more: the last one is an error.
func (r *Remote) read() {
	for {
		kind, number, text, err := receive(r.conn)
		if err == nil && kind != isTable {
			err = errMalformed
		}
		select {
		case r.answers <- answer{number, text, err}:
		case <-r.gone:
			return
		}
		if err != nil {
			return
		}
	}
}

// Resolve has the process open what the assets are. It is as [Local.Resolve]; the descriptors
// are the process's.
func (r *Remote) Resolve(ctx context.Context) (objects []domainid.Object, descriptors []int) {
	r.of = r.get()
	t, ok := r.resolve(ctx)
	if !ok {
		t = unread(r.of)
	}
	r.opened = ok
	return t.objects, t.descriptors
}

func (r *Remote) resolve(ctx context.Context) (t table, ok bool) {
	if r.due { // an earlier one, which was too late
		select {
		case a := <-r.answers:
			r.take(a)
		default:
		}
	}
	if r.lost || r.due {
		return table{}, false
	}
	r.number++
	if !r.send(toOpen, questionOf(r.of)) {
		return table{}, false
	}
	r.due = true
	late := time.NewTimer(answerTime)
	defer late.Stop()
	select {
	case a := <-r.answers:
		if rows := r.take(a); rows != nil {
			t, err := tableOf(rows, len(r.of))
			if err == nil {
				return t, true
			}
			r.end(err)
		}
	case <-late.C:
	case <-ctx.Done():
	}
	return table{}, false
}

// take returns the rows of the answer that is due; nil if it is none.
func (r *Remote) take(a answer) []row {
	rows, err := []row{}, a.err
	if err == nil && a.number != r.number {
		err = errMalformed
	}
	if err == nil {
		err = decode(a.text, &rows)
	}
	if r.due = false; err != nil {
		r.end(err)
		return nil
	}
	return rows
}

func (r *Remote) send(kind byte, v any) bool {
	b, err := message(kind, r.number, v)
	if err == nil {
		_ = r.conn.SetWriteDeadline(time.Now().Add(answerTime)) // a socket has one
		_, err = r.conn.Write(b)
	}
	if err != nil {
		r.end(err)
	}
	return err == nil
}

// end is for a process that cannot be asked any more.
func (r *Remote) end(err error) {
	if r.lost {
		return
	}
	r.lost = true
	r.logger.Error("The process that looks for what assets are is gone: which are within reach "+
		"is unknown until landlockd is started again", "err", err)
	_ = r.Close()
}

// Assets are those that the last objects are of.
func (r *Remote) Assets() []domainid.Asset { return r.of }

// Process returns the PID of the process that has the descriptors.
func (r *Remote) Process() int32 { return r.process }

// Release has the process close what it opened.
func (r *Remote) Release() {
	if r.opened {
		r.opened = false
		r.send(toClose, nil)
	}
}

// Close ends the process.
func (r *Remote) Close() error {
	r.lose()
	return r.conn.Close()
}
