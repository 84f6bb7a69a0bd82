// SPDX-License-Identifier: Apache-2.0

package mixin

import (
	"os"
	"regexp"
	"testing"
)

// checkRunbookQueries runs the queries of the runbooks. What
// they return depends on the trouble that one is in: here they must be valid.
func checkRunbookQueries(t *testing.T, p *prometheus) {
	t.Helper()
	block := regexp.MustCompile("(?s)```promql\n(.*?)```")
	ran := 0
	for _, file := range glob(t, runbooks+"/*.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			ran++
			if _, err := p.query(m[1], true); err != nil {
				t.Errorf("%s: %v\n%s", file, err, m[1])
			}
		}
	}
	if ran < 10 {
		t.Errorf("only %d queries in runbooks", ran)
	}
}
