// SPDX-License-Identifier: Apache-2.0

package dirent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What Read yields is what is in the directory, however small the memory is.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	want := map[string]uint64{}
	for i := range 100 {
		path := filepath.Join(dir, fmt.Sprintf("%0*d", i+1, i))
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		want[filepath.Base(path)] = st.Ino
	}
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for e, err := range Read(int(f.Fd()), make([]byte, 512)) {
		if err != nil {
			t.Fatal(err)
		}
		name := string(e.Name)
		if want[name] != e.Ino || e.Kind != unix.DT_DIR {
			t.Errorf("%s: inode %d of kind %d", name, e.Ino, e.Kind)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("not yielded: %v", want)
	}
	for _, err := range Read(-1, make([]byte, 512)) {
		if !errors.Is(err, unix.EBADF) {
			t.Error(err)
		}
	}
}

func FuzzEntries(f *testing.F) {
	b := binary.NativeEndian.AppendUint64(nil, 7)
	b = binary.NativeEndian.AppendUint64(b, 0)
	b = binary.NativeEndian.AppendUint16(b, 24)
	f.Add(append(b, unix.DT_DIR, 'a', 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		each(b[:len(b):len(b)], func(e Entry, err error) bool {
			if name := string(e.Name); err == nil && (name == "" || name == "." || name == "..") {
				t.Errorf("%q", name)
			}
			if n++; n > len(b) {
				t.Fatal("no end")
			}
			return true
		})
	})
}
