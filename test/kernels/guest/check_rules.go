// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/landlockd/landlockd/internal/landlock"
	"github.com/landlockd/landlockd/test/netns"
	"github.com/landlockd/landlockd/test/rulesets"
)

// checkRules puts threads into random sandboxes, compares what a scan says of
// them with what was asked for, and has the threads try it. Arguments: sandboxes,
// how many; seed, to make the same again.
func checkRules(t *T) {
	source := openIterator(t)
	if source.Info().Rules != "read" {
		t.Fatalf("rules are %s: %s", source.Info().Rules, source.NoRules())
	}
	abi, err := landlock.ABI()
	t.Must(err)
	rights := landlock.Rights().Sure
	top := filepath.Join("/tmp", "rulesets")
	t.Must(os.MkdirAll(top, 0o755))
	defer os.RemoveAll(top)
	t.Must(netns.LoopbackUp())
	site, err := rulesets.NewSite(top)
	t.Must(err)
	defer site.Close()

	seed := uint64(t.Number("seed", rand.Int()))
	t.Fact("seed", seed)
	ports := []uint16{1, 80, 443, 40001, 65535}
	m := rulesets.Maker{
		Random: rand.New(rand.NewPCG(seed, 0)), Supported: rights,
		Dirs: append(site.Dirs(), "/proc", "/"), Plain: site.Plain(), PortChoices: ports,
	}
	var all []*rulesets.Resident
	for n := range t.Number("sandboxes", 200) {
		t.Must(site.Spare(n))
		r, err := rulesets.Settle(m.Make(1 + n%16))
		t.Must(err)
		defer r.Leave()
		all = append(all, r)
	}
	for range 2 { // The second scan has what the first one read.
		snap := scanOnce(t, source)
		t.Fact("scan", fmt.Sprintf("%d tasks, %d domains, %d passes, %s", len(snap.Tasks), len(snap.Domains), snap.Passes, snap.Duration))
		for n, r := range all {
			for _, err := range r.Compare(snap, abi) {
				t.Errorf("sandbox %d: %v", n, err)
			}
		}
	}
	for n, r := range all {
		for _, err := range r.Try(site, n, ports) {
			t.Errorf("sandbox %d: %v", n, err)
		}
	}
}
