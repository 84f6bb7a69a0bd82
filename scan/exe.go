// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"strings"

	"github.com/landlockd/landlockd/internal/enum"
)

// CutPath is how many bytes are left at least of a path that is cut; one that the
// kernel does not give is empty.
const CutPath = 255

// deletedSuffix is what the kernel puts behind the path of a deleted file.
const deletedSuffix = " (deleted)"

// SetExe sets Exe and ExeDeleted from the kernel's text; deleted reports whether what
// looks like the kernel's suffix behind it is the kernel's.
func (p *Process) SetExe(text string, deleted bool) {
	p.Exe, p.ExeDeleted = text, false
	if deleted {
		p.Exe, p.ExeDeleted = strings.CutSuffix(text, deletedSuffix)
	}
}

// Origin says who can have put an executable where its path says that it is.
type Origin uint8

const (
	// OriginUnknown: it could not be found out.
	OriginUnknown Origin = iota
	// OfHost: it is that file of the host, or was.
	OfHost
	// OfImage: it is a file below a root directory that only root could set up, as
	// of a container: its path says nothing of the host's files.
	OfImage
	// OfUser: any user could have made the path what it is.
	OfUser
)

var origins = enum.Words[Origin]{"unknown", "host", "image", "user"}

func (o Origin) String() string { return origins.Of(o) }

// MarshalText encodes the word.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (o *Origin) UnmarshalText(b []byte) error {
	return origins.Parse(o, b, "origin of an executable")
}
