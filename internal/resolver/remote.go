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
	conn    net.Conn
	assets  func() []domainid.Asset
	pid     int
	logger  *slog.Logger
	answers chan answer
	of      []domainid.Asset // of the last Resolve
	kind    byte             // of the last request
	number  uint64
	due     bool // it has not been answered
	opened  bool // what was answered is of use
	lost    bool
	gone    chan struct{} // closed when nobody reads answers any more
	lose    func()
}

type answer struct {
	kind   byte
	number uint64
	text   []byte
	err    error
}

// NewRemote returns a resolver that asks the process of a PID over a connection, which it
// owns. assets is as of [OpenLocal].
func NewRemote(
	conn net.Conn, pid int, assets func() []domainid.Asset, logger *slog.Logger,
) *Remote {
	r := &Remote{
		conn: conn, pid: pid, assets: assets, logger: logger,
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
		select {
		case r.answers <- answer{kind, number, text, err}:
		case <-r.gone:
			return
		}
		if err != nil {
			return
		}
	}
}

// Resolve has the process open what the assets are. It is as [Local.Resolve]; descriptors
// and PID are the process's.
func (r *Remote) Resolve(ctx context.Context) (objects []domainid.Object, descriptors []int32, pid int) {
	r.of = r.assets()
	t, ok := r.resolve(ctx)
	if !ok {
		t = unread(r.of)
	}
	r.opened = ok
	return t.objects, t.descriptors, r.pid
}

func (r *Remote) resolve(ctx context.Context) (table, bool) {
	text, ok := r.ask(ctx, toOpen, questionOf(r.of))
	if !ok {
		return table{}, false
	}
	rows := []row{}
	err := decode(text, &rows, maxAnswered)
	var t table
	if err == nil {
		t, err = tableOf(rows, len(r.of))
	}
	if err != nil {
		r.end(err)
	}
	return t, err == nil
}

// ask returns the answer to a request, if one comes in time.
func (r *Remote) ask(ctx context.Context, kind byte, v any) ([]byte, bool) {
	if r.due { // an earlier one, which was too late
		select {
		case a := <-r.answers:
			r.take(a)
		default:
		}
	}
	if r.lost || r.due {
		return nil, false
	}
	r.kind, r.number = kind, r.number+1
	b, err := message(kind, r.number, v)
	if err == nil {
		_ = r.conn.SetWriteDeadline(time.Now().Add(answerTime)) // a socket has one
		_, err = r.conn.Write(b)
	}
	if err != nil {
		r.end(err)
		return nil, false
	}
	r.due = true
	late := time.NewTimer(answerTime)
	defer late.Stop()
	select {
	case a := <-r.answers:
		return r.take(a)
	case <-late.C:
	case <-ctx.Done():
	}
	return nil, false
}

// take takes the answer that is due.
func (r *Remote) take(a answer) ([]byte, bool) {
	if a.err == nil && (a.kind != r.kind || a.number != r.number) {
		a.err = errMalformed
	}
	if r.due = false; a.err != nil {
		r.end(a.err)
	}
	return a.text, a.err == nil
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

// Release has the process close what it opened, and reports whether that was open until then.
func (r *Remote) Release() bool {
	if !r.opened {
		return false
	}
	r.opened = false
	_, ok := r.ask(context.Background(), toClose, nil)
	return ok
}

// Close ends the process.
func (r *Remote) Close() error {
	r.lose()
	return r.conn.Close()
}
