// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What clients do wrong is logged for nobody; a configuration that is not valid any more is,
// once a minute at most, as clients could write into the log otherwise.
func TestClientLog(t *testing.T) {
	config := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		l := newClientLog(config, slog.New(slog.NewTextHandler(&text, nil)))
		const handshake = "http: TLS handshake error from 192.0.2.1:1: EOF"
		want := func(n int) {
			t.Helper()
			if got := strings.Count(text.String(), "level=ERROR"); got != n {
				t.Errorf("%d lines, want %d:\n%s", got, n, &text)
			}
		}
		l.Print(handshake)
		want(0)
		if err := os.Remove(config); err != nil {
			t.Fatal(err)
		}
		time.Sleep(validatePause)
		l.Print("http: superfluous response.WriteHeader call")
		want(0)
		for range 3 {
			l.Print(handshake)
		}
		want(1)
		time.Sleep(validatePause)
		l.Print(handshake)
		want(2)
	})
}
