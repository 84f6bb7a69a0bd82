// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// commands returns the commands of docs/install.md, by the heading they are below:
// those in blocks of language sh.
func commands(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	heading, inside := "", false
	for line := range strings.Lines(read(t, filepath.Join(top(t), "docs/install.md"))) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "## "), strings.HasPrefix(line, "### "):
			heading = strings.TrimLeft(line, "# ")
		case line == "```sh":
			inside = true
		case line == "```":
			inside = false
		case inside && !strings.HasPrefix(line, "#"):
			found[heading] = append(found[heading], line)
		}
	}
	return found
}

// TestInstallDocs runs the commands of docs/install.md: those for Debian in a guest,
// those for Kubernetes as far as no cluster is needed.
func TestInstallDocs(t *testing.T) {
	all := commands(t)
	t.Run("kubernetes", func(t *testing.T) {
		n := 0
		for _, c := range all["Kubernetes"] {
			words := strings.Fields(c)
			switch {
			case strings.HasPrefix(c, "kubectl apply -k deploy/kubernetes/"):
				kustomize(t, strings.TrimPrefix(words[3], "deploy/kubernetes/"))
			case strings.HasPrefix(c, "helm install landlockd deploy/kubernetes/chart/landlockd "):
				chart(t, words[4:]...)
			case strings.HasPrefix(c, "kubectl "):
				continue
			default:
				t.Errorf("%q is not known here", c)
			}
			n++
		}
		if n < 2 {
			t.Errorf("%d commands: %q", n, all["Kubernetes"])
		}
		// Values and overlays that the page names.
		for _, m := range regexp.MustCompile("`overlays/([a-z-]+)` \\| `([a-zA-Z.]+=[a-z]+)`").FindAllStringSubmatch(read(t, filepath.Join(top(t), "docs/install.md")), -1) {
			same(t, kustomize(t, "overlays/"+m[1]), chart(t, "--set="+m[2], "--set=namespace.create=true"))
		}
	})
	t.Run("debian", func(t *testing.T) {
		g := boot(t)
		deb := get(t, second).deb(t)
		write(t, g.path("/tmp/"+filepath.Base(deb)), read(t, deb))
		for _, c := range append(all["Debian and Ubuntu"], all["Without a port"]...) {
			out, err := g.try(t, "sh", "-euc", "cd /tmp; "+c)
			if err == nil {
				continue
			}
			// doctor is right: a guest of this kind has a PID namespace of its own.
			if c != "landlockd doctor" || strings.Count(out, "[FAIL]") != 1 || !strings.Contains(out, "[FAIL] PID namespace") {
				t.Errorf("%v\n%s", err, g.journal(t))
			}
		}
		if s := g.state(t, "UnitFileState", "landlockd-textfile.timer"); s != "enabled" {
			t.Errorf("at the end the timer is %s", s)
		}
	})
	t.Run("archive", func(t *testing.T) {
		g := boot(t)
		archive := get(t, first).file(t, "*-linux-"+runtime.GOARCH+".tar.gz")
		write(t, g.path("/tmp/"+filepath.Base(archive)), read(t, archive))
		script := strings.ReplaceAll(strings.Join(all["From an archive"], "\n"), "linux-amd64", "linux-"+runtime.GOARCH)
		g.run(t, "sh", "-euc", "cd /tmp\n"+script)
		mustBe(t, g.scrape(t, address), healthy)
	})
	t.Run("container", func(t *testing.T) {
		join := func(path, mark string) string {
			text := read(t, filepath.Join(top(t), path))
			_, text, ok := strings.Cut(text, mark+"podman run ")
			if !ok {
				t.Fatalf("%s has no podman run", path)
			}
			text, _, _ = strings.Cut(text, " landlockd\n")
			return strings.Join(strings.Fields(regexp.MustCompile(`\\\n#?`).ReplaceAllString(text, " ")), " ")
		}
		if a, b := join("docs/install.md", "# "), join("Dockerfile", "#   "); a != b {
			t.Errorf("docs/install.md has\n%s\nDockerfile has\n%s", a, b)
		}
	})
}
