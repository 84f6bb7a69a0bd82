// SPDX-License-Identifier: Apache-2.0

package apart

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/landlockd/landlockd/internal/explain/sockets"
)

// Limits of what a child may answer: bytes in a line and in all, and lines. Users may have as
// many sockets as they like: half a million are not too many.
const (
	maxLine    = 4 << 20
	maxBytes   = 256 << 20
	maxAnswers = 1 << 20
)

// read calls each for the answers to a question and returns the gaps. What a child says is
// believed as little as what it looks at: it parsed that.
func (q *Question) read(r io.Reader, each func(*Answer)) (gaps []string, err error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxBytes))
	lines.Buffer(nil, maxLine)
	for n := 0; lines.Scan(); n++ {
		if n == maxAnswers {
			return nil, fmt.Errorf("more than %d answers", n)
		}
		var a Answer
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		err := d.Decode(&a)
		if err == nil && d.More() {
			err = errors.New("more than one object in a line")
		}
		if err == nil {
			err = q.check(&a)
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("answer %d makes no sense: %w", n+1, err)
		case !a.End:
			each(&a)
		case a.Error != "":
			return a.Gaps, errors.New(string(a.Error))
		default:
			return a.Gaps, nil
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return nil, errors.New("the process that looked has ended without an end of its answer, or that is too long")
}

// check reports what makes an answer none to the question.
func (q *Question) check(a *Answer) error {
	switch {
	case a.End && a.Root == nil && a.Place == nil && a.Socket == nil:
	case a.Gaps != nil || a.Error != "" || a.End:
		return errors.New("an end and no end")
	case q.Threads != nil && a.Root != nil && len(a.Root.TIDs) > 0 && a.Place == nil && a.Socket == nil:
	case q.Files != nil && a.Place != nil &&
		(a.Place.Path == "" || strings.HasPrefix(string(a.Place.Path), "/")) &&
		a.Root == nil && a.Socket == nil:
	case q.Holders != nil && a.Socket != nil && isName(a.Socket) && a.Root == nil && a.Place == nil:
	default:
		return errors.New("not what was asked for")
	}
	return nil
}

// isName reports whether a socket without a path is one that has a name, or the reverse.
func isName(s *sockets.Seen) bool {
	return strings.HasPrefix(string(s.Name), "\x00") == (s.Spot == nil) && s.Name != ""
}
