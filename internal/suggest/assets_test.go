// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/scan"
)

// A rule asks for the assets that all of its processes are kept from.
func TestOutOfReachIsSuggested(t *testing.T) {
	h := newHost()
	h.Assets = []domainid.Asset{
		{Name: "signals", Signal: true}, {Name: "sockets", AbstractUnix: true},
		{Name: "absent", Paths: []string{"/x"}, Read: true}, {Name: "files", Paths: []string{"/y"}, Read: true},
	}
	h.Objects = []domainid.Object{{Asset: 2, Kind: domainid.ObjectAbsent}, {Asset: 3, Kind: domainid.ObjectFile}}
	// The domain of every other process scopes signals.
	for range 2 {
		h.process(unit("a.service", "a.service"), "/bin/a", scan.Sandboxed)
		h.process(unit("b.service", "b.service"), "/bin/b", scan.Sandboxed)
	}
	var b bytes.Buffer
	if err := Write(&b, &h.Snapshot, nil); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Count(text, "out_of_reach: ") != 1 || !strings.Contains(text, "out_of_reach: [\"signals\"]\n") ||
		!strings.Contains(text, "assets of the configuration") {
		t.Errorf("got\n%s", text)
	}
}
