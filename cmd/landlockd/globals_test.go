// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCheckProcfs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		"/proc": true, "/proc/": true, "/": false, "": false, "/no/such/dir": false, t.TempDir(): false, file: false,
	} {
		if err := checkProcfs(path); (err == nil) != want {
			t.Errorf("%q: %v", path, err)
		}
	}
}
