// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseExpect reads what is expected of a process from one line of keys and
// values, the keys as in a rule's expect:
//
//	state=sandboxed,min_depth=1,restricts=fs.write_file,net.*
//
// An item without = is one more value of the key before it. Without state,
// sandboxed is expected.
func ParseExpect(text string) (Expect, error) {
	var x Expect
	key := ""
	seen := map[string]bool{}
	var states []string
	for item := range strings.SplitSeq(text, ",") {
		value := strings.TrimSpace(item)
		if k, v, ok := strings.Cut(value, "="); ok {
			if key, value = strings.TrimSpace(k), strings.TrimSpace(v); seen[key] {
				return Expect{}, fmt.Errorf("%s is there twice", quote(key))
			}
			seen[key] = true
		} else if key != "state" && key != "restricts" {
			return Expect{}, fmt.Errorf("%s: want key=value", quote(item))
		}
		var err error
		switch key {
		case "state":
			err = x.addState(value)
			states = append(states, value)
		case "effective":
			if value != "true" && value != "false" {
				err = fmt.Errorf("%s: want true or false", quote(value))
			}
			x.Ineffective = value == "false"
		case "min_depth":
			x.MinDepth, err = parseDepth(value, 0)
		case "max_depth":
			x.MaxDepth, err = parseDepth(value, 1)
		case "restricts":
			err = x.addRight(value)
		case "on_old_kernel":
			err = x.setOldKernel(value)
		case "outside_workers":
			err = x.setOutsideWorkers(value)
		default:
			return Expect{}, fmt.Errorf("unknown key %s: want one of %s", quote(key), expectKeys())
		}
		if err != nil {
			return Expect{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	if seen["state"] {
		if err := statesError(states); err != nil {
			return Expect{}, fmt.Errorf("state: %w", err)
		}
	}
	for _, c := range x.clashes(func(key string) bool { return seen[key] }) {
		return Expect{}, c.err
	}
	return x, nil
}

func parseDepth(text string, least int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > maxDepth {
		return 0, fmt.Errorf("%s: want a number from %d to %d", quote(text), least, maxDepth)
	}
	return n, nil
}
