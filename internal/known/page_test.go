// SPDX-License-Identifier: Apache-2.0

package known

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/internal/policy"
)

var update = flag.Bool("update", false, "write the table of docs/known.md anew")

// TestPage: docs/known.md has the table of deploy/known.d, each key of its files, and each
// verdict.
func TestPage(t *testing.T) {
	const file = "../../docs/known.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- known: generated -->\n", "<!-- end -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", file)
	}
	want := before + begin + "\n" + page(t) + "\n" + end + after
	switch {
	case want == string(text):
	case *update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s has another table than deploy/known.d: go generate ./internal/known", file)
	}
	_, example, _ := strings.Cut(after, "```yaml\n")
	example, _, ok = strings.Cut(example, "```")
	if name := touch(t, t.TempDir()+"/a.yml"); !ok || os.WriteFile(name, []byte(example), 0o600) != nil {
		t.Error("there is no example")
	} else if all, err := policy.LoadKnown([]string{name}); err != nil || len(all) != 1 {
		t.Errorf("the example: %v", err)
	}
	for _, key := range slices.Concat(Verdicts(), []string{
		"name", "what", "when", "who", "since", "until", "abi", "match", "expect", "sometimes", "paths", "deb", "npm",
		"on", "off", "checked", "tests", "untested",
	}) {
		if !strings.Contains(before+after, "`"+key+"`") {
			t.Errorf("%s does not explain %s", file, key)
		}
	}
}

// page is the table.
func page(t *testing.T) string {
	all, err := policy.LoadKnown([]string{"../../deploy/known.d/*.yml"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| program | sandboxes | versions | is restricted in | on, off | checked |\n" +
		"|---|---|---|---|---|---|\n")
	for i := range all {
		k := &all[i]
		fmt.Fprintf(&b, "| %s: %s | %s | %s | %s | %s | %s |\n",
			k.Name, k.What, who(k), versionsOf(k), rightsOf(k), switches(k), checkedOf(k))
	}
	return b.String()
}

func who(k *policy.Known) string {
	text := map[policy.Who]string{
		policy.WholeProcess: "itself", policy.Child: "what it starts", policy.Thread: "some threads",
	}[k.Who]
	if k.When == policy.Launcher {
		text = "what it is asked to start"
	}
	if k.Who == policy.Thread {
		text += fmt.Sprintf("; all from ABI %d on", k.ABI)
	}
	if k.When == policy.Optional {
		text += ", if that is switched on"
	}
	return text
}

func versionsOf(k *policy.Known) string {
	var parts []string
	if k.Since != "" {
		parts = append(parts, "from "+k.Since)
	}
	if k.Until != "" {
		parts = append(parts, "not from "+k.Until)
	}
	return cmp.Or(strings.Join(parts, ", "), "-")
}

func rightsOf(k *policy.Known) string {
	if k.When == policy.Launcher {
		return "as asked"
	}
	text := "-"
	if len(k.Expect.Restricts) > 0 {
		text = "`" + strings.Join(k.Expect.Restricts, "`, `") + "`"
	}
	if len(k.Sometimes) > 0 {
		text += "; some versions also `" + strings.Join(k.Sometimes, "`, `") + "`"
	}
	return text
}

func switches(k *policy.Known) string {
	var parts []string
	if k.On != "" {
		parts = append(parts, "on: `"+k.On+"`")
	}
	if k.Off != "" {
		parts = append(parts, "off: "+k.Off)
	}
	return cmp.Or(strings.Join(parts, "; "), "-")
}

func checkedOf(k *policy.Known) string {
	text := ""
	if c := k.Checked; c != nil {
		text = fmt.Sprintf("%s on Linux %s, %s", c.Version, c.Kernel, c.Date.Format(time.DateOnly))
	}
	switch {
	case k.Untested == "":
		return text + "; in every test run"
	case text != "":
		text += "; "
	}
	return text + "**no test**: " + k.Untested
}
