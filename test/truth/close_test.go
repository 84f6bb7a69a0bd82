// SPDX-License-Identifier: Apache-2.0

package truth

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestNothingIsLeft kills the coordinator outright: its descendants, some of
// them with other users and in user namespaces of their own, end by themselves.
func TestNothingIsLeft(t *testing.T) {
	starts := map[string]func() (*coordinator, error){
		"forest": func() (*coordinator, error) {
			f, err := Start(t.Context(), actor(t), Options{Seed: 3})
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() {
				if err := os.RemoveAll(f.site); err != nil {
					t.Error(err)
				}
			})
			return f.c, nil
		},
		"swing": func() (*coordinator, error) {
			s, err := StartSwing(t.Context(), actor(t), 3)
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() {
				if err := os.RemoveAll(s.site); err != nil {
					t.Error(err)
				}
			})
			return s.c, s.end()
		},
		"churn": func() (*coordinator, error) {
			c, err := StartChurn(t.Context(), actor(t), 3, 100)
			if err != nil {
				return nil, err
			}
			time.Sleep(200 * time.Millisecond)
			return c.c, nil
		},
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			c, err := start()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			if err := c.close(); !errors.As(err, &exit) {
				t.Errorf("close after a kill: %v, want an exit error", err)
			}
			if err := c.nothingLeft(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStartCanceled gives up a growth half-way.
func TestStartCanceled(t *testing.T) {
	bin := actor(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := Start(ctx, bin, Options{Seed: 1, Processes: 500})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if f != nil {
		t.Error(f.Close())
	}
	if err := (&coordinator{dir: built.dir}).nothingLeft(); err != nil {
		t.Error(err)
	}
}

func TestBuildWithoutCompiler(t *testing.T) {
	t.Setenv("CC", "no-such-compiler")
	_, err := Build(t.Context(), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "no C compiler") {
		t.Errorf("error %v, want one that says what is missing", err)
	}
}
