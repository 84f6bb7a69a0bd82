// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestWithin: what a search finds is passed on, and one that does not end is left to
// itself.
func TestWithin(t *testing.T) {
	failed := errors.New("failed")
	if n, err := within(time.Hour, func() (int, error) { return 7, failed }); n != 7 || !errors.Is(err, failed) {
		t.Errorf("%d, %v", n, err)
	}
	stop := make(chan struct{})
	defer close(stop)
	n, err := within(time.Millisecond, func() (int, error) { <-stop; return 7, nil })
	if n != 0 || err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%d, %v", n, err)
	}
}
