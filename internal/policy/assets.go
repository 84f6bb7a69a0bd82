// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/landlockd/landlockd/domainid"
)

const (
	maxAssetItems = 32   // paths, sockets or ports of one asset
	maxPath       = 4095 // bytes, as the kernel takes
	maxGlobs      = 2    // parts of a path that are patterns
)

// namedAsset is where the name of an asset stands: where the asset is, or where a rule asks
// for it.
type namedAsset struct {
	name string
	at   Problem // without a message
}

// assets reads what matters on hosts.
func (d *decoder) assets(n *yaml.Node, c *Config) {
	d.section(n, domainid.MaxAssets-len(c.Assets), func(n *yaml.Node) {
		c.Assets = append(c.Assets, d.asset(n))
	})
}

func (d *decoder) asset(n *yaml.Node) domainid.Asset {
	var a domainid.Asset
	seen := d.mapping(n,
		field{"name", func(n *yaml.Node) {
			a.Name = d.name(n)
			d.named = append(d.named, namedAsset{a.Name, d.problem(n, "")})
		}},
		field{"paths", func(n *yaml.Node) { a.Paths = d.paths(n) }},
		field{"unix", func(n *yaml.Node) { a.Unix = d.paths(n) }},
		field{"tcp", func(n *yaml.Node) {
			d.list(n, maxAssetItems, func(n *yaml.Node) {
				a.TCP = append(a.TCP, uint16(d.integer(n, 1, 65535)))
			})
		}},
		field{"access", func(n *yaml.Node) {
			d.list(n, 4, func(n *yaml.Node) {
				access := [...]*bool{&a.Read, &a.Write, &a.Connect, &a.Bind}
				*access[d.word(n, "read", "write", "connect", "bind")] = true
			})
		}},
		field{"signal", func(n *yaml.Node) { a.Signal = d.boolean(n) }},
		field{"abstract_unix", func(n *yaml.Node) { a.AbstractUnix = d.boolean(n) }})
	if seen == nil {
		return a
	}
	if seen["name"] == nil {
		d.fail(n, "the asset has no name")
	}
	if at := seen["unix"]; at != nil && seen["paths"] != nil {
		d.fail(at, "unix beside paths: make two assets of them")
	}
	if seen["paths"] == nil && seen["unix"] == nil && seen["tcp"] == nil &&
		!a.Signal && !a.AbstractUnix {
		d.fail(n, "the asset is nothing: want paths, unix, tcp, signal or abstract_unix")
	}
	d.access(seen, "paths", "read or write", a.Read || a.Write)
	d.access(seen, "tcp", "connect or bind", a.Connect || a.Bind)
	return a
}

// access demands that the access to something is given, if that is there, and only then.
func (d *decoder) access(seen map[string]*yaml.Node, key, words string, given bool) {
	switch at := seen[key]; {
	case at != nil && !given:
		d.fail(at, "%s needs access beside it, of %s", key, words)
	case at == nil && given:
		d.fail(seen["access"], "access of %s needs %s beside it", words, key)
	}
}

// paths reads absolute paths of which parts may be patterns.
func (d *decoder) paths(n *yaml.Node) []string {
	var paths []string
	d.list(n, maxAssetItems, func(n *yaml.Node) {
		text, ok := d.text(n, "an absolute path")
		if !ok {
			return
		}
		if fault := pathFault(text); fault != "" {
			d.fail(n, "%s: %s", quote(text), fault)
		}
		paths = append(paths, text)
	})
	return paths
}

// pathFault returns what is wrong with a path of an asset; empty if nothing is.
func pathFault(text string) string {
	switch {
	case !path.IsAbs(text):
		return "want an absolute path"
	case len(text) > maxPath || strings.ContainsRune(text, 0):
		return "no path is like this: it has more than 4095 bytes, or a NUL"
	case path.Clean(text) != text:
		return "want it without //, . and .., and without / at the end: " + quote(path.Clean(text))
	case strings.Contains(text, "**"):
		return "** is no pattern here: a directory stands for all that is below it"
	}
	if _, err := path.Match(text, ""); err != nil {
		return err.Error()
	}
	globs := 0
	for part := range strings.SplitSeq(text, "/") {
		if strings.ContainsAny(part, `*?[\`) {
			globs++
		}
	}
	if globs > maxGlobs {
		return "more than 2 of its parts are patterns"
	}
	return ""
}

// resolve finds faults of the names of assets over all files, and gives each rule the assets
// that it asks for.
func (c *Config) resolve(named, asked []namedAsset) (problems []Problem) {
	first := map[string]Problem{}
	for _, a := range named {
		if at, twice := first[a.name]; twice && a.name != "" {
			problems = append(problems, a.at.with("a second asset %s: the first is at %s:%d",
				quote(a.name), at.File, at.Line))
		} else {
			first[a.name] = a.at
		}
	}
	for _, a := range asked {
		if assetNamed(c.Assets, a.name) == nil {
			problems = append(problems, a.at.with("%s", NoAsset(a.name, c.Assets)))
		}
	}
	for i := range c.Rules {
		of := c.Rules[i].Expect.OutOfReach
		for k := range of {
			if a := assetNamed(c.Assets, of[k].Name); a != nil {
				of[k] = *a
			}
		}
	}
	return problems
}

// assetNamed returns the asset that has a name, or nil.
func assetNamed(assets []domainid.Asset, name string) *domainid.Asset {
	for i := range assets {
		if assets[i].Name == name {
			return &assets[i]
		}
	}
	return nil
}

// NoAsset is the fault of a name that no asset has.
func NoAsset(name string, assets []domainid.Asset) string {
	if len(assets) == 0 {
		return quote(name) + " is no asset: the configuration has no assets"
	}
	names := make([]string, len(assets))
	for i := range assets {
		names[i] = assets[i].Name
	}
	return quote(name) + " is no asset: want one of " + strings.Join(names, ", ")
}
