// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math/rand/v2"
	"os"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/netns"
	"github.com/landlockd/landlockd/test/rulesets"
)

// checkReach puts threads into random sandboxes, in mount namespaces and with roots of their
// own, and has them try to reach what a scan says that they are kept from: files, sockets,
// ports and processes. Arguments:
// sandboxes, how many; seed, to make the same again.
func checkReach(t *T) {
	t.Must(netns.LoopbackUp()) // or nothing is known of ways past rights to ports
	source := openIterator(t)
	if source.NoWays() != "" {
		t.Fatalf("ways to assets are not read: %s", source.NoWays())
	}
	top, err := os.MkdirTemp("/tmp", "reach")
	t.Must(err)
	defer os.RemoveAll(top)
	ground, err := rulesets.NewGround(top)
	t.Must(err)
	defer ground.Close()
	source.Resolve(ground)
	defer source.Resolve(nil)
	seed := uint64(t.Number("seed", rand.Int()))
	t.Fact("seed", seed)
	m := rulesets.Maker{
		Random: rand.New(rand.NewPCG(seed, 0)), Supported: landlock.Rights().Sure,
	}
	said, faults := ground.Try(source, &m, t.Number("sandboxes", 500))
	t.Fact("said", said)
	for _, err := range faults {
		t.Errorf("%v", err)
	}
	if err := said.Enough(); err != nil {
		t.Errorf("%v", err)
	}
	t.Fact("never", said.Never()) // of so few sandboxes
}
