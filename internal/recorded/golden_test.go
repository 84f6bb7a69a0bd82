// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
				t.Errorf("%s differs; go test ./internal/recorded -run TestGolden -update writes it. %s",
					path, firstDifference(got.String(), string(want)))
			}
		})
	}
}

// firstDifference returns the first line of two texts that is another, from shortly before
// where it is.
func firstDifference(got, want string) string {
	g, w := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	n := 0
	for n < min(len(g), len(w))-1 && g[n] == w[n] {
		n++
	}
	at := 0
	for at < min(len(g[n]), len(w[n])) && g[n][at] == w[n][at] {
		at++
	}
	part := func(line string) string { return line[max(0, at-60):min(len(line), at+100)] }
	return fmt.Sprintf("Line %d, byte %d:\ngot  …%s\nwant …%s", n+1, at+1, part(g[n]), part(w[n]))
}

// TestReadsKept: what was once written stays readable, whatever members come: these files
// are never written again. A new member is therefore optional for the reader.
func TestReadsKept(t *testing.T) {
	files, err := filepath.Glob("testdata/kept/*.json")
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := Read(bytes.NewReader(text)); err != nil || len(s.Processes) == 0 {
			t.Errorf("%s cannot be read any more (a new member wants read:\"optional\"): %v", path, err)
		}
	}
}
