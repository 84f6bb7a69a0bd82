// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/internal/denials"
	"github.com/landlockd/landlockd/internal/recorded"
	"github.com/landlockd/landlockd/scan"
)

// Bounds of what is read of an answer: more than what 256 denials or runs with the longest
// texts take, and of one that is of a whole host.
const (
	maxAnswer = 8 << 20
	maxLists  = 256 << 20
)

// ErrAbsent is the error of asking where nobody listens.
var ErrAbsent = errors.New("no landlockd serves there")

// Refused is the error of a daemon that does not answer.
type Refused struct {
	Status int
	// Word names the reason: "not_allowed", for example. Message explains it; both
	// are the daemon's text, not cleaned.
	Word, Message string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("the daemon refuses (%d %s): %s", r.Status, r.Word, r.Message)
}

// AskDenials asks the daemon at a socket for the last denials of one process, or
// of all for 0. An error wraps ErrAbsent if there is no daemon, or is a *[Refused],
// or something is broken. All text in the answer is hostile.
func AskDenials(ctx context.Context, path string, pid int32) (*Denials, error) {
	var d Denials
	if err := ask(ctx, path, about(denialsPath, pid), &d); err != nil {
		return nil, err
	}
	if d.Schema != DenialsSchema {
		return nil, fmt.Errorf("the answer is %.40q, want %s", d.Schema, DenialsSchema)
	}
	if !denials.IsWord(d.Way) {
		return nil, fmt.Errorf("the answer is about denials by %.40q", d.Way)
	}
	return &d, nil
}

// AskRuns asks the daemon at a socket for the last runs of one process that are remembered, or
// of all for 0. Errors are as those of AskDenials. All text in the answer is hostile.
func AskRuns(ctx context.Context, path string, pid int32) (*Runs, error) {
	var r Runs
	if err := ask(ctx, path, about(runsPath, pid), &r); err != nil {
		return nil, err
	}
	return &r, r.check()
}

// AskSnapshot asks the daemon at a socket for a snapshot of its host, which it begins after it
// was asked. Errors are as those of AskDenials. All text in it is hostile.
func AskSnapshot(ctx context.Context, path string) (snap *scan.Snapshot, err error) {
	err = fetch(ctx, path, snapshotPath+"?brief=true", func(body io.Reader) (err error) {
		snap, err = recorded.Read(body)
		return err
	})
	return snap, err
}

// Get asks the daemon at a socket for the JSON that it has at a path with its query. Errors are as
// those of AskDenials. All text in it is hostile.
func Get(ctx context.Context, path, target string) (text []byte, err error) {
	err = fetch(ctx, path, target, func(body io.Reader) error {
		text, err = readAll(body, maxLists)
		if err == nil && !json.Valid(text) {
			return errors.New("the answer is malformed")
		}
		return err
	})
	return text, err
}

// maxLine bounds a line of the log: more than the longest text takes.
const maxLine = 1 << 20

// AskLog asks the daemon at a socket for its log, with a query of docs/api.md, and calls line with
// each line until there is none, or an error is returned. Errors are as those of AskDenials. All
// text in a line is hostile.
func AskLog(ctx context.Context, path string, q url.Values, line func(*LogLine) error) error {
	return EachLine(ctx, path, logPath+"?"+q.Encode(), func(text []byte) error {
		var l LogLine
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("a line of the log is malformed: %w", err)
		}
		if l.Start != nil && l.Start.Schema != LogSchema {
			return fmt.Errorf("the log is %.40q, want %s", l.Start.Schema, LogSchema)
		}
		return line(&l)
	})
}

// EachLine asks for what a daemon has at a path with its query, and calls line with each line.
func EachLine(ctx context.Context, path, target string, line func([]byte) error) error {
	return fetch(ctx, path, target, func(body io.Reader) error {
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, maxLine)
		lines.Split(wholeLine)
		for lines.Scan() {
			err := context.Cause(ctx) // what was read before that is not handed out
			if err == nil {
				err = line(lines.Bytes())
			}
			if err != nil {
				return err
			}
		}
		if err := lines.Err(); err != nil {
			return fmt.Errorf("the daemon has ended, or cuts off who reads too slowly: %w", err)
		}
		return nil
	})
}

// wholeLine is a [bufio.SplitFunc] of lines that end with a line feed: one that was cut is none.
func wholeLine(data []byte, atEOF bool) (advance int, line []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return 0, nil, err
}

// about returns what is to be asked about one process, or about all for 0.
func about(path string, pid int32) string {
	if pid == 0 {
		return path
	}
	return fmt.Sprintf("%s?pid=%d", path, pid)
}

// ask makes one request and decodes its answer.
func ask(ctx context.Context, path, target string, into any) error {
	return fetch(ctx, path, target, func(body io.Reader) error {
		text, err := readAll(body, maxAnswer)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("the answer is malformed: %w", err)
		}
		return nil
	})
}

// readAll reads an answer that is no longer than so many bytes.
func readAll(body io.Reader, most int) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, int64(most)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case len(text) > most:
		return nil, fmt.Errorf("the answer is longer than %d bytes", most)
	}
	return text, nil
}

// fetch makes one request, and has its answer read if that is no refusal. An [http.Transport] would
// have goroutines of its own for what is one request on one connection.
func fetch(ctx context.Context, path, target string, read func(body io.Reader) error) error {
	c, err := dial(ctx, path)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })()
	if err = exchange(ctx, c, target, read); err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // not where the answer was cut by that
	}
	return err
}

const (
	// maxHead bounds what is read of an answer before its body.
	maxHead = 4 << 10
	// readAhead is how much of the rest is read at once.
	readAhead = 64 << 10
)

// exchange makes one request on a connection that is closed behind it: what is left of the answer
// then need not be read.
func exchange(ctx context.Context, c net.Conn, target string, read func(body io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://landlockd"+target, nil)
	if err != nil {
		return err
	}
	req.Close = true
	if err := req.Write(c); err != nil {
		return err
	}
	bounded := &io.LimitedReader{R: c, N: maxHead}
	resp, err := http.ReadResponse(bufio.NewReaderSize(bounded, readAhead), req) //nolint:bodyclose // see above
	switch {
	case bounded.N == 0 && errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the head of the answer is longer than %d bytes", maxHead)
	case err != nil:
		return fmt.Errorf("the head of the answer: %w", err)
	}
	bounded.N = math.MaxInt64 // the body is bounded by who reads it
	if resp.StatusCode == http.StatusOK {
		return read(resp.Body)
	}
	text, err := readAll(resp.Body, maxAnswer)
	if err != nil {
		return err
	}
	var e errorJSON
	if err := json.Unmarshal(text, &e); err != nil || e.Schema != errorSchema {
		return &Refused{Status: resp.StatusCode, Word: "unknown", Message: "it does not say why"}
	}
	return &Refused{resp.StatusCode, e.Error, e.Message}
}

// dial connects, and makes sure that who listens is whom the directory belongs to.
func dial(ctx context.Context, path string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	// Many wait to be accepted, as any user can have it: most are turned away at once.
	for errors.Is(err, unix.EAGAIN) && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
		c, err = new(net.Dialer).DialContext(ctx, "unix", path)
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, fmt.Errorf("%w: %w", ctx.Err(), err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: there is no %s", ErrAbsent, path)
	case errors.Is(err, unix.ECONNREFUSED):
		return nil, fmt.Errorf("%w: %s is left of one that has ended", ErrAbsent, path)
	case err != nil:
		return nil, err
	}
	if err := trust(c, path); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// trust returns an error unless who listens (who called listen(2)) is root, this
// user, or the owner of the socket's directory, if nobody else may write to that.
func trust(c net.Conn, path string) error {
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return err
	}
	var server *unix.Ucred
	cerr := raw.Control(func(fd uintptr) {
		server, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(cerr, err); err != nil {
		return fmt.Errorf("who listens at %s: %w", path, err)
	}
	if server.Uid == 0 || int(server.Uid) == os.Geteuid() {
		return nil
	}
	var dir unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &dir); err != nil {
		return fmt.Errorf("directory of %s: %w", path, err)
	}
	const writeByOthers = 0o022
	if dir.Uid != server.Uid || dir.Mode&writeByOthers != 0 {
		return fmt.Errorf("user %d listens at %s, who is neither root nor the only one that may "+
			"write to its directory: not asked", server.Uid, path)
	}
	return nil
}
