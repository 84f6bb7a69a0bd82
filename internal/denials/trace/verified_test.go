// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"flag"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/verified"
)

var update = flag.Bool("update", false, "write testdata/verified.txt anew")

// TestVerified: the programs are as much work for the kernel's verifier as is recorded. They
// load on a kernel without the tracepoints, too.
func TestVerified(t *testing.T) {
	testenv.NeedRoot(t)
	coll, err := load(btf.NewCache(), config{})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer coll.Close()
	verified.Check(t, "testdata/verified.txt", *update, coll.Programs)
}
