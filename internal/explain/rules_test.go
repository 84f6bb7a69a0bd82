// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/landlockd/landlockd/access"
	"github.com/landlockd/landlockd/internal/policy"
)

// TestRules: every rule stands there, those about the process first, with the reason.
func TestRules(t *testing.T) {
	s, p := host(reading(), 0)
	e := Of(s, p)
	rule := func(name string, applies access.Answer, result policy.Result, why string) policy.Explanation {
		return policy.Explanation{Rule: &policy.Rule{Name: name, Severity: "info", File: "/r\x1b.yml", Line: 7},
			Applies: applies, Result: result, Why: why}
	}
	e.Rules = []policy.Explanation{
		rule("elsewhere", access.No, policy.Unknown, "unit does not match"),
		rule("good", access.Yes, policy.Compliant, ""),
		rule("hidden", access.Unknown, policy.Unknown, "its executable is not known"),
		rule("young", access.Yes, policy.Starting, "it is 1.0 s old"),
	}
	wants(t, textOf(t, e), "\nRules about it:\n  - good (info): compliant [\"/r\\x1b.yml\":7]\n"+
		"  - hidden (info): it is not known whether it is about it; its executable is not known [",
		"\n  - young (info): starting; it is 1.0 s old [",
		"\nRules that are not about it:\n  - elsewhere (info): unit does not match [")
	var b bytes.Buffer
	if err := e.JSON(&b); err != nil {
		t.Fatal(err)
	}
	var j struct {
		Rules []struct {
			Name, Applies     string
			Result, Why, File *string
			Line              int
		}
	}
	if err := json.Unmarshal(b.Bytes(), &j); err != nil {
		t.Fatal(err)
	}
	if len(j.Rules) != 4 || j.Rules[0].Result != nil || *j.Rules[1].Result != "compliant" || j.Rules[1].Why != nil ||
		j.Rules[2].Applies != "unknown" || *j.Rules[2].File != "/r\x1b.yml" || j.Rules[3].Line != 7 {
		t.Errorf("%s", &b)
	}
	for i := range 100 {
		e.Rules = append(e.Rules, rule(fmt.Sprint("r", i), access.No, policy.Unknown, "comm does not match"))
	}
	wants(t, textOf(t, e), "  77 more: -o json has them\n")
}
