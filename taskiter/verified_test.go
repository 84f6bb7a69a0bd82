// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"flag"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/verified"
)

var update = flag.Bool("update", false, "write testdata/verified.txt anew")

// TestVerified: the programs, loaded as on this host, are as much work for the kernel's
// verifier as is recorded.
func TestVerified(t *testing.T) {
	testenv.NeedRoot(t)
	s := openSource(t, Options{})
	cache := btf.NewCache()
	types, err := cache.Kernel()
	if err != nil {
		t.Fatal(err)
	}
	o := opener{types: types, cache: cache, kernel: s.Kernel()}
	if o.rules, err = resolveRules(types); err != nil {
		t.Fatal(err)
	}
	if err := o.parse(); err != nil {
		t.Fatal(err)
	}
	programs := map[string]*ebpf.Program{}
	for _, name := range []string{objectProgCalibrate, objectProgScan, objectProgRules, objectProgWays} {
		coll, it, err := o.load(name, s.state.Layout, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer coll.Close()
		defer it.Close()
		programs[name] = coll.Programs[name]
	}
	verified.Check(t, "testdata/verified.txt", *update, programs)
}
