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
	sandboxed := false
	for item := range strings.SplitSeq(text, ",") {
		value := strings.TrimSpace(item)
		if k, v, ok := strings.Cut(value, "="); ok {
			if key, value = strings.TrimSpace(k), strings.TrimSpace(v); seen[key] {
				return Expect{}, fmt.Errorf("expectation: %s is there twice", quote(key))
			}
			seen[key] = true
		} else if key != "state" && key != "restricts" {
			return Expect{}, fmt.Errorf("expectation %s: want key=value", quote(item))
		}
		var err error
		switch key {
		case "state":
			err = x.addState(value)
			sandboxed = sandboxed || value == "sandboxed"
		case "min_depth":
			x.MinDepth, err = strconv.Atoi(value)
			if err != nil || x.MinDepth < 0 || x.MinDepth > maxMinDepth {
				err = fmt.Errorf("%s: want a number from 0 to %d", quote(value), maxMinDepth)
			}
		case "restricts":
			err = x.addRight(value)
		case "on_old_kernel":
			err = x.setOldKernel(value)
		default:
			err = fmt.Errorf("unknown key %s: want one of state, min_depth, restricts, on_old_kernel", quote(key))
		}
		if err != nil {
			return Expect{}, fmt.Errorf("expectation: %w", err)
		}
	}
	if seen["state"] && !sandboxed {
		return Expect{}, fmt.Errorf("expectation: sandboxed must be among the states")
	}
	return x, nil
}
