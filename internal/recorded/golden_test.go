// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/scan"
	"github.com/landlockd/landlockd/test/hosts"
)

var update = flag.Bool("update", false, "write testdata anew")

func TestGolden(t *testing.T) {
	absent := hosts.New()
	absent.Kernel.Landlock, absent.Kernel.ABI = scan.NotBuilt, 0
	absent.Process(1, 0, "init", hosts.Free())
	for _, test := range []struct {
		file string
		host *hosts.Host
		o    Options
	}{
		{"shells.json", hosts.Shells(), Options{}},
		{"shells.summary.json", hosts.Shells(), Options{Summary: true}},
		{"mixed.json", hosts.Mixed(), Options{}},
		{"empty.json", &hosts.Host{Snapshot: scan.Snapshot{Source: hosts.New().Source}}, Options{}},
		{"absent.json", absent, Options{}},
	} {
		t.Run(test.file, func(t *testing.T) {
			var got bytes.Buffer
			if err := Write(&got, &test.host.Snapshot, test.o); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", test.file)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
			}
		})
	}
}
