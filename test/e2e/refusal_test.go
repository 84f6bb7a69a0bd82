// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"
)

// Exit codes, as documented.
const (
	exitFailure = 1
	exitUsage   = 2
)

// checkRefusal checks that a program ended with a code and one clear line that
// holds all these texts.
func checkRefusal(t *testing.T, p *process, code int, texts ...string) {
	t.Helper()
	if got := p.wait(t); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	text := p.stderr.String()
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Errorf("not one line on standard error:\n%s", text)
	}
	if !strings.HasPrefix(text, "landlockd: ") {
		t.Errorf("it does not say who speaks: %s", text)
	}
	for _, want := range texts {
		if !strings.Contains(text, want) {
			t.Errorf("it does not tell %q: %s", want, text)
		}
	}
	for _, bad := range []string{"panic", "goroutine", "runtime error", "%!", "<nil>"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q: %s", bad, text)
		}
	}
	if p.stdout.String() != "" {
		t.Errorf("standard output: %s", &p.stdout)
	}
}
