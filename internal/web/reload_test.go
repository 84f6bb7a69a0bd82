// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/scan"
)

func TestReload(t *testing.T) {
	calls := 0
	var result error
	h := newHandler(t, &fakeSource{}, Options{Reload: func() error { calls++; return result }})
	for _, c := range []struct {
		method string
		err    error
		status int
		calls  int
	}{
		{"POST", nil, 200, 1}, {"PUT", nil, 200, 1}, {"POST", errors.New("secret.yml:1:1: x"), 500, 1},
		{"GET", nil, 405, 0}, {"HEAD", nil, 405, 0}, {"DELETE", nil, 405, 0},
	} {
		calls, result = 0, c.err
		w := do(t, h, c.method, "/-/reload")
		if w.Code != c.status || calls != c.calls || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s, %v: %d, %d calls: %s", c.method, c.err, w.Code, calls, w.Body)
		}
		if allow := w.Header().Get("Allow"); (allow == "POST, PUT") != (c.status == 405) {
			t.Errorf("%s: Allow %q", c.method, allow)
		}
	}
}

func TestReloadNotForOtherSites(t *testing.T) {
	calls := 0
	h := newHandler(t, &fakeSource{}, Options{Reload: func() error { calls++; return nil }})
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://other.example"}, {"Origin", "null"}} {
		if w := do(t, h, "POST", "/-/reload", headers...); w.Code != 403 || calls != 0 {
			t.Errorf("%v: %d, %d calls", headers, w.Code, calls)
		}
	}
	if w := do(t, h, "POST", "/-/reload", "Sec-Fetch-Site", "same-origin"); w.Code != 200 || calls != 1 {
		t.Errorf("same origin: %d, %d calls", w.Code, calls)
	}
}

func TestReloadNotEnabled(t *testing.T) {
	h := newHandler(t, &fakeSource{}, Options{})
	for _, method := range []string{"POST", "PUT"} {
		if w := do(t, h, method, "/-/reload"); w.Code != 403 || !strings.Contains(w.Body.String(), "--web.enable-lifecycle") {
			t.Errorf("%s: %d: %s", method, w.Code, w.Body)
		}
	}
	if _, err := New(Options{Scans: scan.NewShared(&fakeSource{}, scan.SharedOptions{}), TelemetryPath: "/-/reload"}); err == nil {
		t.Error("metrics at /-/reload")
	}
}
