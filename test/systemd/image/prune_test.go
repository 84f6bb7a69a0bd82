// SPDX-License-Identifier: Apache-2.0

package image

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestPrune(t *testing.T) {
	cache := t.TempDir()
	now := time.Now()
	old := now.Add(-keep - time.Minute)
	for name, at := range map[string]time.Time{
		"new.ext2": now.Add(-keep + time.Minute), "new.log": old, // a log is as old as its build
		"old.ext2": old, "old.log": old,
		"used.ext2": old, "used.log": old,
		"nolog.ext2": old,
		"other":      old, "ext2": old, "alone.log": old, // not images
	} {
		path := filepath.Join(cache, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(cache, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := use(filepath.Join(cache, "used.ext2"), now); err != nil {
		t.Fatal(err)
	}
	if err := prune(cache, now); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{"alone.log", "ext2", "logs", "new.ext2", "new.log", "other", "used.ext2", "used.log"}
	if !slices.Equal(left, want) {
		t.Errorf("left: %q, want %q", left, want)
	}
}

// An image in the cache is used as it is, and counts as used.
func TestBuildUses(t *testing.T) {
	cache := t.TempDir()
	r := Recipe{Release: "bookworm"}
	path := filepath.Join(cache, r.Key()+".ext2")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := use(path, time.Now().Add(-2*keep)); err != nil {
		t.Fatal(err)
	}
	got, err := Build(t.Context(), r, "", cache)
	if err != nil || got != path {
		t.Fatalf("%s, %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) > keep/2 {
		t.Errorf("it counts as unused: %v", err)
	}
}
