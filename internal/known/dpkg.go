// SPDX-License-Identifier: Apache-2.0

package known

import (
	"bufio"
	"bytes"
	"io"
)

// dpkgDir is where dpkg(1) keeps what is installed.
const dpkgDir = "/var/lib/dpkg"

// dpkg fills in the versions of installed packages, by their names: those that the map has.
// Where there is no such database, or it cannot be read, none is known.
func (r hostRoot) dpkg(wanted map[string]string) {
	if len(wanted) == 0 {
		return
	}
	err := r.read(dpkgDir+"/status", maxStatus, func(f io.Reader) error {
		return readStatus(f, wanted)
	})
	if err != nil {
		clear(wanted)
	}
}

// readStatus reads dpkg's database, see deb-status(5) and deb-control(5). A package that is
// there for two architectures has one version.
func readStatus(f io.Reader, wanted map[string]string) error {
	var name, version string
	installed := false
	flush := func() {
		if _, ok := wanted[name]; ok && installed {
			wanted[name] = version
		}
		name, version, installed = "", "", false
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxJSON)
	for lines.Scan() {
		line := lines.Bytes()
		switch {
		case len(line) == 0:
			flush()
		case bytes.HasPrefix(line, []byte("Package: ")):
			name = string(line[len("Package: "):])
		case bytes.HasPrefix(line, []byte("Version: ")):
			version = string(line[len("Version: "):])
		case bytes.HasPrefix(line, []byte("Status: ")):
			installed = bytes.HasSuffix(line, []byte(" installed"))
		}
	}
	flush()
	return lines.Err()
}

// version fills in the version of what is installed at a path, if one of some packages has that
// file.
func (r hostRoot) version(at *Installed, names []string, versions map[string]string) {
	for _, name := range names {
		if versions[name] == "" || at.Package != "" {
			continue
		}
		has := false
		err := r.read(dpkgDir+"/info/"+name+".list", maxList, func(f io.Reader) error {
			text, err := io.ReadAll(f)
			has = bytes.Contains(append([]byte{'\n'}, text...), []byte("\n"+at.Path+"\n"))
			return err
		})
		if err == nil && has {
			at.Package, at.Version, at.Upstream = name, versions[name], upstream(versions[name])
		}
	}
}
