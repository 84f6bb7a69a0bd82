// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
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
			sandboxed = sandboxed || value == "sandboxed"
		case "effective":
			if value != "true" && value != "false" {
				err = fmt.Errorf("%s: want true or false", quote(value))
			}
			x.Ineffective = value == "false"
		case "min_depth":
			x.MinDepth, err = strconv.Atoi(value)
			if err != nil || x.MinDepth < 0 || x.MinDepth > maxMinDepth {
				err = fmt.Errorf("%s: want a number from 0 to %d", quote(value), maxMinDepth)
			}
		case "restricts":
			err = x.addRight(value)
		case "on_old_kernel":
			err = x.setOldKernel(value)
		case "outside_workers":
			err = x.setOutsideWorkers(value)
		default:
			return Expect{}, fmt.Errorf("unknown key %s: want one of state, effective, min_depth, "+
				"restricts, on_old_kernel, outside_workers", quote(key))
		}
		if err != nil {
			return Expect{}, fmt.Errorf("%s: %w", key, err)
		}
	}
	if seen["state"] && !sandboxed {
		return Expect{}, errors.New("state: sandboxed must be among the states")
	}
	for _, key := range besideRestricts {
		if seen[key] && !seen["restricts"] {
			return Expect{}, aloneError(key)
		}
	}
	return x, nil
}
