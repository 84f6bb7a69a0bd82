// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/vm/protocol"
)

func result(check string, status protocol.Status) protocol.Line {
	return protocol.Line{Kind: protocol.Result, Check: check, Key: string(status), Text: "text"}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name     string
		lines    []protocol.Line
		err      error
		problems []string
	}{
		{"all well", []protocol.Line{result("a", protocol.OK), result("b", protocol.Skip)}, nil, nil},
		{"one failed", []protocol.Line{result("a", protocol.Fail), result("b", protocol.OK)}, nil, []string{"a: text"}},
		{"one silent", []protocol.Line{result("a", protocol.OK)}, nil, []string{"b: no result"}},
		{"unknown word", []protocol.Line{result("a", "fine"), result("b", protocol.OK)}, nil, []string{"a: text"}},
		{"no end", []protocol.Line{result("a", protocol.OK), result("b", protocol.OK)}, errors.New("no end"), []string{"no end"}},
		{"nothing", nil, nil, []string{"a: no result", "b: no result"}},
	} {
		v := judge(outcome{lines: c.lines}, c.err, []string{"a:x=1", "b"})
		if !slices.Equal(v.problems, c.problems) || v.ok() != (c.problems == nil) {
			t.Errorf("%s: problems %q, want %q", c.name, v.problems, c.problems)
		}
	}
}

// A known fault of a kernel is no failure, so that nobody would see it.
func TestPrintKnownFault(t *testing.T) {
	fault := protocol.Line{Kind: protocol.Fact, Check: "kernel", Key: protocol.KnownFault, Text: "WARNING: a timer"}
	other := protocol.Line{Kind: protocol.Fact, Check: "kernel", Key: "seconds", Text: "0.01"}
	v := judge(outcome{lines: []protocol.Line{fault, other, result("kernel", protocol.OK)}}, nil, []string{"kernel"})
	var out strings.Builder
	v.print(&out, "7.3/default", "7.3.4", time.Second, false)
	if got := out.String(); !strings.HasPrefix(got, "ok ") || !strings.Contains(got, fault.Text) || strings.Contains(got, other.Key) {
		t.Errorf("it prints %q", got)
	}
}
