// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"io"
	"os"
	"testing"

	"github.com/landlockd/landlockd/internal/denials/trace"
	"github.com/landlockd/landlockd/scan"
)

func TestDenialsHandoff(t *testing.T) {
	for _, c := range []struct {
		d  denialsHandoff
		ok bool
	}{
		{denialsHandoff{}, true},
		{denialsHandoff{Enabled: true}, true},
		{denialsHandoff{Files: 1}, false},
		{denialsHandoff{Way: scan.DenialsAudit}, false},
		{denialsHandoff{Way: scan.DenialsAudit, Files: 1, Enabled: true}, true},
		{denialsHandoff{Way: scan.DenialsAudit, Files: 3}, true},
		{denialsHandoff{Way: scan.DenialsAudit, Files: 4}, false},
		{denialsHandoff{Way: scan.DenialsAudit, Files: -1}, false},
		{denialsHandoff{Way: scan.DenialsTracepoints, Files: trace.NumFiles}, true},
		{denialsHandoff{Way: scan.DenialsTracepoints, Files: 1}, false},
		{denialsHandoff{Way: scan.DenialsCounters, Files: 1}, false},
		{denialsHandoff{Way: "\x00", Files: 1}, false},
	} {
		if err := c.d.check(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.d, err)
		}
	}
}

// The descriptors of denials stand behind those of the source.
func TestDenialsArePacked(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	o := &opened{found: failed("x"), denials: denialsHandoff{Way: scan.DenialsAudit, Files: 2, Enabled: true}, denialFiles: []*os.File{r, w}}
	files, err := o.pack()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(files[0])
	if err != nil {
		t.Fatal(err)
	}
	h, err := parseHandoff(text)
	if err != nil || h.Denials != o.denials || len(h.Files) != 2 || h.Files[0] != int(r.Fd()) || h.Files[1] != int(w.Fd()) {
		t.Errorf("%+v, %v", h, err)
	}
	o.denialFiles = o.denialFiles[:1]
	files, err = o.pack()
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(files[0]); err != nil {
		t.Fatal(err)
	}
	if h, err := parseHandoff(text); err == nil {
		t.Errorf("a descriptor is missing: %+v", h)
	}
}
