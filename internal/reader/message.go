// SPDX-License-Identifier: Apache-2.0

package reader

import (
	"encoding/binary"

	"github.com/landlockd/landlockd/internal/confine"
	"github.com/landlockd/landlockd/scan"
)

// A request is requestSize bytes: scanRequest, and its number. Each answer begins with
// headSize bytes: its kind, the number of the request, and how many bytes follow.
const (
	requestSize = 1 + 8
	headSize    = 1 + 8 + 4
	scanRequest = 's'

	// The first answer is to no request: a greeting in JSON, from before the first scan.
	isGreeting = 'g'
	isSnapshot = 's'
	// isFailure is a [scan.Error] in JSON.
	isFailure = 'f'

	// maxAnswer is what follows at most: a kernel's greatest number of processes fits in,
	// each with a path of its own of 100 bytes. maxText is the most of what is in JSON.
	maxAnswer = 1 << 30
	maxText   = 16 << 10
)

// Greeting is what a reader says of itself before it has read anything of others.
type Greeting struct {
	// Status is how it is confined.
	Status confine.Status `json:"status"`
	// Failure is why it can make no scans, or nil.
	Failure *scan.Error `json:"failure,omitempty"`
	// Source is how each kind of fact is obtained.
	Source scan.SourceInfo `json:"source"`
}

// beginAnswer begins an answer in memory that is used again; endAnswer fills in its length.
func beginAnswer(b []byte, kind byte, number uint64) []byte {
	b = binary.LittleEndian.AppendUint64(append(b[:0], kind), number)
	return append(b, 0, 0, 0, 0)
}

func endAnswer(b []byte) {
	binary.LittleEndian.PutUint32(b[headSize-4:], uint32(len(b)-headSize))
}

// head is the beginning of an answer.
func head(b []byte) (kind byte, number uint64, length int) {
	return b[0], binary.LittleEndian.Uint64(b[1:]), int(binary.LittleEndian.Uint32(b[9:]))
}
