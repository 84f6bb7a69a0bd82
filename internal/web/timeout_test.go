// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"testing"
	"time"
)

func TestParseTimeout(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"10": 10 * time.Second, "10.000000": 10 * time.Second, "0.5": 500 * time.Millisecond, "1e1": 10 * time.Second,
		"0.1": minTimeout, "0.001": minTimeout, "5e-324": minTimeout,
		"59.9": 59900 * time.Millisecond, "60": maxWait, "1e300": maxWait, "1e9999": maxWait, "+Inf": maxWait,
		"": maxWait, "0": maxWait, "-0": maxWait, "-1": maxWait, "-1e300": maxWait, "-Inf": maxWait,
		"NaN": maxWait, "nan": maxWait, "ten": maxWait, "10s": maxWait, " 10": maxWait, "10, 10": maxWait, "\xff": maxWait,
	} {
		if got := parseTimeout(value); got != want {
			t.Errorf("parseTimeout(%q) = %v, want %v", value, got, want)
		}
	}
}

func TestWaitFor(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"10": 9500 * time.Millisecond, "1": 500 * time.Millisecond, "0.4": 200 * time.Millisecond,
		"0": maxWait - safetyOffset, "": maxWait - safetyOffset,
	} {
		if got := waitFor(http.Header{timeoutHeader: {value}}); got != want {
			t.Errorf("waitFor(%q) = %v, want %v", value, got, want)
		}
	}
}

func FuzzParseTimeout(f *testing.F) {
	for _, s := range []string{"10", "NaN", "-1", "1e300", "1e-300", "0x1p-2", "1_0", "Inf", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		timeout := parseTimeout(value)
		wait := waitFor(http.Header{timeoutHeader: {value}})
		if timeout < minTimeout || timeout > maxWait || wait < minTimeout/2 || wait >= timeout {
			t.Errorf("%q: timeout %v, wait %v", value, timeout, wait)
		}
	})
}
