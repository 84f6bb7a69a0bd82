// SPDX-License-Identifier: Apache-2.0

// Package golandlock compares what a scan says of sandboxes with what was asked
// for, in the words of another library than our own: go-landlock, which is what
// many Go programs sandbox themselves with.
package golandlock

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/landlock-lsm/go-landlock/landlock"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/test/rulesets"
	"github.com/landlockd/landlockd/test/sandbox"
)

// helperEnv makes this program a helper: a process that sandboxes itself, as
// go-landlock restricts whole processes.
const helperEnv = "LANDLOCKD_GOLANDLOCK_HELPER"

// order is what a helper is to do, as JSON on its standard input.
type order struct {
	Sandbox sandbox.Sandbox
	// Try: it tries what it may do, on the site, with the ports; Number names
	// what it makes.
	Try    bool
	Site   rulesets.Site
	Number int
	Ports  []uint16
}

// answer is what a helper says, as JSON on a line.
type answer struct {
	Error string
	// Wrong is where an attempt's outcome was not what the rules say.
	Wrong []string
}

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) == "" {
		os.Exit(m.Run())
	}
	var o order
	var a answer
	in := json.NewDecoder(os.Stdin)
	if err := in.Decode(&o); err != nil {
		a.Error = err.Error()
	} else if err := enter(o.Sandbox); err != nil {
		a.Error = err.Error()
	} else if o.Try {
		for _, err := range rulesets.Try(o.Sandbox, &o.Site, o.Number, o.Ports) {
			a.Wrong = append(a.Wrong, err.Error())
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		os.Exit(1)
	}
	// It stays until its input ends.
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// enter sandboxes this process by go-landlock, layer by layer.
func enter(s sandbox.Sandbox) error {
	for i, l := range s {
		config, err := landlock.NewConfig(landlock.AccessFSSet(l.Handled[access.FS]), landlock.AccessNetSet(l.Handled[access.Net]), landlock.ScopedSet(l.Handled[access.Scope]))
		if err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
		var rules []landlock.Rule
		for path, rights := range l.Files {
			rules = append(rules, landlock.PathAccess(landlock.AccessFSSet(rights), path))
		}
		for port, rights := range l.Ports {
			for bit, rule := range []func(uint16) landlock.NetRule{landlock.BindTCP, landlock.ConnectTCP, landlock.BindUDP, landlock.ConnectSendUDP} {
				if rights&(1<<bit) != 0 {
					rules = append(rules, rule(port))
				}
			}
		}
		if err := config.Restrict(rules...); err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
	}
	return nil
}
