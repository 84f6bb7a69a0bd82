// SPDX-License-Identifier: Apache-2.0

package domainid

import "slices"

// MaxAssets is how many assets there can be, and MaxObjects how many objects of their paths
// are looked at in a scan.
const (
	MaxAssets  = 20
	MaxObjects = 128
)

// Asset is something that Landlock should keep tasks from. It never changes; snapshots and
// configurations share it.
type Asset struct {
	// Name is unique among assets: [a-z0-9_-]{1,63}.
	Name string
	// Paths are absolute, of files, and of directories with all that is below them. Parts
	// of them may be patterns of path.Match. An asset with Paths has no Unix.
	Paths []string
	// Read and Write are what tasks should be kept from doing with Paths.
	Read, Write bool
	// Unix are paths, and patterns, of Unix sockets to connect or send to.
	Unix []string
	// TCP are ports, and Connect and Bind what tasks should be kept from doing with them.
	TCP           []uint16
	Connect, Bind bool
	// Signal: processes outside of the domain, to signal.
	Signal bool
	// AbstractUnix: abstract Unix sockets that were made outside of the domain.
	AbstractUnix bool
}

// Equal reports whether two assets are the same, the name included.
func (a *Asset) Equal(o *Asset) bool {
	return a.Name == o.Name && a.Read == o.Read && a.Write == o.Write && a.Connect == o.Connect &&
		a.Bind == o.Bind && a.Signal == o.Signal && a.AbstractUnix == o.AbstractUnix &&
		slices.Equal(a.Paths, o.Paths) && slices.Equal(a.Unix, o.Unix) && slices.Equal(a.TCP, o.TCP)
}
