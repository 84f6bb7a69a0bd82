// SPDX-License-Identifier: Apache-2.0

package resolver

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/domainid"
)

// A message, either way, is headSize bytes (its kind, the number of the request, and how many
// bytes follow) and JSON. An answer has the kind and the number of its request.
const (
	headSize = 1 + 8 + 4
	// toOpen has the paths of assets, and its answer a table. toClose has nothing, and nor
	// has its answer.
	toOpen  = 'o'
	toClose = 'c'

	// maxMessage fits all that may be asked for, and all that may be answered.
	maxMessage = 8 << 20
	maxPaths   = 64 // of an asset
	maxFD      = 1 << 20

	// maxAsked and maxAnswered are how many values a question and an answer can have.
	maxAsked    = domainid.MaxAssets * maxPaths
	maxAnswered = domainid.MaxObjects * 5 // members of a row
)

var errMalformed = errors.New("the message is malformed")

// message is a head and what follows it.
func message(kind byte, number uint64, v any) ([]byte, error) {
	b := binary.LittleEndian.AppendUint64([]byte{kind}, number)
	b = append(b, 0, 0, 0, 0)
	if v != nil {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		b = append(b, text...)
	}
	if len(b)-headSize > maxMessage {
		return nil, errMalformed
	}
	binary.LittleEndian.PutUint32(b[headSize-4:], uint32(len(b)-headSize))
	return b, nil
}

// receive reads a message. An error is [io.EOF] where none begins.
func receive(from io.Reader) (kind byte, number uint64, text []byte, err error) {
	var head [headSize]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, 0, nil, err
	}
	length := binary.LittleEndian.Uint32(head[headSize-4:])
	if length > maxMessage {
		return 0, 0, nil, errMalformed
	}
	// What it says that follows gets memory as it comes.
	text, err = io.ReadAll(io.LimitReader(from, int64(length)))
	if err == nil && len(text) < int(length) {
		err = io.ErrUnexpectedEOF
	}
	return head[0], binary.LittleEndian.Uint64(head[1:]), text, err
}

// decode reads JSON of a bounded length that has nothing else in it. Each value takes more
// memory than text, so that they are counted before.
func decode(text []byte, v any, values int) error {
	if bytes.Count(text, []byte(",")) > values {
		return errMalformed
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	if d.More() {
		return errMalformed
	}
	return nil
}

// question is the paths of each asset, as bytes: they need not be UTF-8.
type question [][][]byte

func questionOf(assets []domainid.Asset) (q question) {
	for i := range assets {
		texts := pathsOf(&assets[i])
		paths := make([][]byte, len(texts))
		for k := range texts {
			paths[k] = []byte(texts[k])
		}
		q = append(q, paths)
	}
	return q
}

// assets are what a question is about, as far as a resolver needs to know them.
func (q question) assets() ([]domainid.Asset, error) {
	if len(q) > domainid.MaxAssets {
		return nil, errMalformed
	}
	assets := make([]domainid.Asset, len(q))
	for i, paths := range q {
		if len(paths) > maxPaths {
			return nil, errMalformed
		}
		for _, b := range paths {
			text := string(b)
			_, err := path.Match(text, "")
			if err != nil || !path.IsAbs(text) || len(text) >= unix.PathMax || bytes.IndexByte(b, 0) >= 0 {
				return nil, errMalformed
			}
			assets[i].Paths = append(assets[i].Paths, text)
		}
	}
	return assets, nil
}

// row is one object of an answer.
type row struct {
	Asset  int32               `json:"asset"`
	Kind   domainid.ObjectKind `json:"kind"`
	Path   []byte              `json:"path"`
	Parent int32               `json:"parent"`
	FD     int32               `json:"fd"`
}

func rowsOf(t table) []row {
	rows := make([]row, len(t.objects))
	for i, o := range t.objects {
		rows[i] = row{o.Asset, o.Kind, []byte(o.Path), o.Parent, t.descriptors[i]}
	}
	return rows
}

// tableOf returns the table of rows, if they can be an answer about so many assets.
func tableOf(rows []row, assets int) (t table, err error) {
	if len(rows) > domainid.MaxObjects {
		return table{}, errMalformed
	}
	for _, r := range rows {
		found := r.Kind != domainid.ObjectAbsent && r.Kind != domainid.ObjectUnreadable
		isParent := r.Asset == -1 && r.Kind == domainid.ObjectDirectory
		hasParent := r.Parent >= 0 && r.Parent < int32(len(rows)) &&
			rows[r.Parent].Kind == domainid.ObjectDirectory &&
			(r.Kind == domainid.ObjectFile || r.Kind == domainid.ObjectSocket)
		switch {
		case !isParent && (r.Asset < 0 || r.Asset >= int32(assets)),
			!hasParent && r.Parent != -1,
			found && (r.FD < 0 || r.FD > maxFD), !found && r.FD != -1,
			len(r.Path) == 0 || r.Path[0] != '/' || len(r.Path) > unix.PathMax:
			return table{}, errMalformed
		}
		t.add(domainid.Object{
			Asset: r.Asset, Path: string(r.Path), Kind: r.Kind, Parent: r.Parent,
		}, r.FD)
	}
	return t, nil
}
