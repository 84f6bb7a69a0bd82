// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

// failure is an error with a reason.
func failure(reason string) error { return &Error{Reason: reason, Missing: "cannot scan"} }

func TestFailureReason(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("x"), "internal"},
		{context.DeadlineExceeded, "timeout"},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), "timeout"},
		{context.Canceled, "internal"},
		{failure("no_btf"), "no_btf"},
		{fmt.Errorf("scan: %w", failure("no_btf")), "no_btf"},
		{errors.Join(context.DeadlineExceeded, failure("no_btf")), "no_btf"},
		{failure(""), "internal"},
		{failure("Bad\xff"), "internal"},
		{failure("0123456789012345678901234567890123456789x"), "internal"},
	} {
		if got := FailureReason(c.err); got != c.want {
			t.Errorf("FailureReason(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestErrorIs(t *testing.T) {
	kinds := []Kind{ErrAbsent, ErrDenied, ErrGone, ErrBroken}
	for _, kind := range kinds {
		err := fmt.Errorf("open: %w", &Error{Kind: kind, Err: context.Canceled})
		for _, other := range kinds {
			if errors.Is(err, other) != (other == kind) {
				t.Errorf("%s: errors.Is(%s) is %v", kind, other, other != kind)
			}
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the cause is lost", kind)
		}
	}
}

// JSON keeps the kind, the reason and the text of what Flatten returns.
func TestFlatten(t *testing.T) {
	err := fmt.Errorf("open: %w", &Error{
		Kind: ErrAbsent, Reason: "no_iterator", Source: "task iterator", Missing: "task iterators",
		Since: "5.8", Err: errors.New("not supported"), Hint: "boot another kernel",
	})
	const text = "open: task iterator: task iterators (since Linux 5.8): not supported; boot another kernel"
	b, e := json.Marshal(Flatten(err))
	if e != nil {
		t.Fatal(e)
	}
	var got *Error
	if e := json.Unmarshal(b, &got); e != nil || FailureReason(got) != "no_iterator" ||
		!errors.Is(got, ErrAbsent) || got.Error() != text || err.Error() != text {
		t.Errorf("%s: %v, want %s", b, got, text)
	}
	if got := Flatten(context.DeadlineExceeded); got.Reason != ReasonTimeout || got.Kind != "" {
		t.Errorf("of another error: %+v", got)
	}
}
