// SPDX-License-Identifier: Apache-2.0

package domainid

import "github.com/landlockd/landlockd/access"

// Rights of the table that assets are about. They are never written.
var (
	tcp    = struct{ connect, bind access.Right }{right("net.connect_tcp"), right("net.bind_tcp")}
	scopes = struct{ signal, abstractUnix access.Right }{
		right("scope.signal"), right("scope.abstract_unix_socket"),
	}
	// reading is of a file, and listing of a directory.
	reading, listing = files("fs.read_file"), files("fs.read_dir")
	// replacing is in the directory of a file, to put another one in its place.
	replacing = files("fs.remove_file", "fs.make_reg", "fs.refer")
	// moving is in the directory of a file, too: who may move a directory above it, and so have
	// another file at its path, has this right there, and so on all that is below.
	moving = files("fs.remove_dir")
	// writing is of a file or directory, and of all below it.
	writing = replacing | moving | files("fs.write_file", "fs.truncate", "fs.make_char", "fs.make_dir",
		"fs.make_sock", "fs.make_fifo", "fs.make_block", "fs.make_sym")
	// changing is what of writing can be done with a file that is no directory.
	changing = writing & access.OnFiles()[access.FS]
	// connecting is to a Unix socket.
	connecting = files("fs.resolve_unix")
)

// asked returns the rights to an object that must all be denied for an asset to be out of
// reach, and those to the directory that the object is in.
func asked(a *Asset, kind ObjectKind) (object, parent uint32) {
	if len(a.Unix) > 0 {
		return connecting, 0
	}
	if a.Read {
		object |= reading
		if kind == ObjectDirectory {
			object |= listing
		}
	}
	if a.Write {
		if kind == ObjectDirectory {
			return object | writing, 0
		}
		object, parent = object|changing, replacing|moving
	}
	return object, parent
}

// files returns the mask of some rights to files.
func files(names ...string) (mask uint32) {
	for _, name := range names {
		mask |= 1 << right(name).Bit
	}
	return mask
}

// right returns the right of a name that the table has.
func right(name string) access.Right {
	r, found := access.Lookup(name)
	if !found {
		panic("no right " + name)
	}
	return r
}
