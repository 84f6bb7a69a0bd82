// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"flag"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/verified"
)

var update = flag.Bool("update", false, "write testdata/verified.txt anew")

// TestVerified: the program is as much work for the kernel's verifier as is recorded.
func TestVerified(t *testing.T) {
	testenv.NeedRoot(t)
	spec, err := loadObject()
	if err != nil {
		t.Fatal(err)
	}
	// Not every kernel lets programs be attached to its functions; as one of another kind it
	// is verified by all.
	p := spec.Programs[objectProgCountLost]
	p.Type, p.AttachType, p.AttachTo = ebpf.RawTracepoint, ebpf.AttachNone, ""
	coll, err := ebpf.NewCollection(spec)
	if err != nil {
		t.Fatal(err)
	}
	defer coll.Close()
	verified.Check(t, "testdata/verified.txt", *update, coll.Programs)
}
