// SPDX-License-Identifier: Apache-2.0

// Command sbom writes the bill of materials of a Go program, as CycloneDX 1.5 in
// JSON, from what the linker recorded in it:
//
//	sbom PROGRAM VERSION EPOCH >sbom.cdx.json
//
// EPOCH is the time that it states, in seconds since 1970. The same program gives
// the same bytes.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom PROGRAM VERSION EPOCH")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// bom, and the types below, are what is needed of the format.
type bom struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Serial       string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licenses   []license  `json:"licenses,omitempty"`
	PURL       string     `json:"purl"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type license struct {
	Expression string `json:"expression"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref string   `json:"ref"`
	On  []string `json:"dependsOn"`
}

func write(program, version, epoch string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("read what it was built from: %w", err)
	}
	file, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("time: %w", err)
	}
	sum := sha256.Sum256(file)
	main := module(&debug.Module{Path: info.Main.Path, Version: version})
	main.Type, main.Licenses = "application", []license{{"Apache-2.0"}}
	main.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum[:])}}
	for _, s := range info.Settings {
		if s.Value != "" {
			main.Properties = append(main.Properties, property{"go:build:" + s.Key, s.Value})
		}
	}
	parts := []component{module(&debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")})}
	for _, m := range info.Deps {
		parts = append(parts, module(m))
	}
	all := dependency{Ref: main.Ref}
	for _, p := range parts {
		all.On = append(all.On, p.Ref)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(bom{
		Format: "CycloneDX", SpecVersion: "1.5", Serial: serial(sum), Version: 1,
		Metadata:   metadata{Timestamp: time.Unix(seconds, 0).UTC().Format(time.RFC3339), Component: main},
		Components: parts, Dependencies: []dependency{all},
	})
}

// module describes one, or what replaces it.
func module(m *debug.Module) component {
	if m.Replace != nil {
		m = m.Replace
	}
	purl := "pkg:golang/" + strings.ToLower(m.Path) + "@" + url.PathEscape(m.Version)
	c := component{Ref: purl, Type: "library", Name: m.Path, Version: m.Version, PURL: purl}
	if m.Sum != "" {
		// The sum of go.sum: it is over all files, not of an archive.
		c.Properties = []property{{"go:sum", m.Sum}}
	}
	return c
}

// serial makes a UUID (of version 8: of one's own making) of a hash.
func serial(h [sha256.Size]byte) string {
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	s := hex.EncodeToString(h[:16])
	return "urn:uuid:" + s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
