// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"flag"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/taskiter"
	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/verified"
)

var update = flag.Bool("update", false, "write testdata/verified.txt anew")

// TestVerified: the programs, of both copies, are as much work for the kernel's verifier as is recorded.
func TestVerified(t *testing.T) {
	testenv.NeedRoot(t)
	src, err := taskiter.Open(taskiter.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	coll, err := load(btf.NewCache(), src.Layout(), objectSettings{GroupDead: 1}, maxCopies)
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer coll.Close()
	verified.Check(t, "testdata/verified.txt", *update, coll.Programs)
}
