// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestLintian: Debian's own judge of packages. What is overridden has its reason in
// deploy/packaging/lintian-overrides.
func TestLintian(t *testing.T) {
	r := get(t, first)
	for _, arch := range []string{"amd64", "arm64"} {
		deb := r.file(t, "*_"+arch+".deb")
		out, err := try(t.Context(), "lintian", "--allow-root", "--tag-display-limit=0", "--fail-on=error,warning", deb)
		if err != nil || strings.Contains(out, "mismatched-override") || strings.Contains(out, "unused-override") {
			t.Errorf("%s: %v\n%s", arch, err, out)
		}
		if got := strings.TrimSpace(run(t, "dpkg-deb", "--field", deb, "Architecture")); got != arch {
			t.Errorf("%s: Architecture: %s", arch, got)
		}
	}
}

// TestScripts: maintainer scripts run in every state of a host.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(top(t), "deploy/packaging/*/p*"))
	if err != nil || len(scripts) != 6 {
		t.Fatalf("%q, %v", scripts, err)
	}
	for _, s := range scripts {
		run(t, "sh", "-n", s)
	}
}

// TestRPM installs, upgrades and erases the rpm below a root of its own, with its
// scripts. It is a Debian's, so that nothing is there of what the package depends on
// for rpm; and there is no systemd running, as in the build of an image.
func TestRPM(t *testing.T) {
	testenv.NeedRoot(t)
	v1, v2 := get(t, first), get(t, second)
	for arch, want := range map[string]string{"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"} {
		file := v1.file(t, "*."+arch+".rpm")
		if got := run(t, "rpm", "-qp", "--queryformat", "%{ARCH} %{VERSION}-%{RELEASE} %{LICENSE}", file); got != arch+" 1.0.0-1 Apache-2.0" {
			t.Errorf("%s is %s", file, got)
		}
		out := runIn(t, "", nil, "bash", "-euo", "pipefail", "-c", `rpm2archive - <"$1" | tar -xzO ./usr/bin/landlockd`, "x", file)
		f, err := elf.NewFile(bytes.NewReader([]byte(out)))
		if err != nil || f.Machine.String() != want {
			t.Errorf("%s has a program for %v (%v)", arch, f, err)
		}
	}
	config := strings.Fields(run(t, "rpm", "-qp", "--configfiles", v1.rpm(t)))
	if slices.Sort(config); !slices.Equal(config, []string{"/etc/landlockd/landlockd.yml", "/etc/sysconfig/landlockd"}) {
		t.Errorf("configuration: %q", config)
	}
	requires := run(t, "rpm", "-qp", "--requires", v1.rpm(t))
	for _, want := range []string{"systemd", "util-linux"} {
		if !strings.Contains(requires, want+"\n") {
			t.Errorf("it does not require %s:\n%s", want, requires)
		}
	}
	out, err := inOverlay(t.Context(), t.TempDir(), `
		mount --rbind /proc "$root/proc"; mount --rbind /dev "$root/dev"
		rpm() { command rpm --root "$root" "$@" 2>&1; }
		say() { echo "== $*"; }
		rpm -i --nodeps --force-debian "$1"; say installed
		rpm -V --nodeps landlockd
		rpm -q landlockd
		chroot "$root" id -un landlockd
		stat -c '%a %U' "$root/usr/bin/landlockd"
		chroot "$root" /usr/bin/landlockd check-config
		ls "$root/etc/systemd/system/multi-user.target.wants/landlockd.service" | sed "s|$root||"
		echo 'ARGS="--log.level=debug"' >"$root/etc/sysconfig/landlockd"
		rpm -U --nodeps --force-debian "$2"; say upgraded
		rpm -q landlockd
		chroot "$root" /usr/bin/landlockd --version | head -n 1 | cut -d' ' -f1-3
		cat "$root/etc/sysconfig/landlockd"
		mkdir -p "$root/var/lib/prometheus/node-exporter"; touch "$root/var/lib/prometheus/node-exporter/landlockd.prom"
		rpm -e landlockd; say erased
		find "$root/etc" "$root/usr" "$root/var" -xdev -name '*landlockd*' -not -path '*/rpm/*' | sed "s|$root||" | sort`, v1.rpm(t), v2.rpm(t))
	if err != nil {
		t.Fatal(err)
	}
	want := `== installed
landlockd-1.0.0-1.x86_64
landlockd
711 root
OK: 0 rules in 1 file
/etc/systemd/system/multi-user.target.wants/landlockd.service
== upgraded
landlockd-1.1.0-1.x86_64
landlockd, version v1.1.0
ARGS="--log.level=debug"
warning: /etc/sysconfig/landlockd saved as /etc/sysconfig/landlockd.rpmsave
== erased
/etc/sysconfig/landlockd.rpmsave
`
	want = strings.ReplaceAll(want, "x86_64", strings.TrimSpace(run(t, "uname", "-m")))
	var got []string
	for line := range strings.Lines(out) {
		// systemctl and systemd-sysusers say what they do, and Debian's rpm that it is on Debian.
		if !strings.HasPrefix(line, "Creating ") && !strings.HasPrefix(line, "Created symlink") && !strings.HasPrefix(line, "Removed ") && !strings.HasPrefix(line, "rpm: ") {
			got = append(got, line)
		}
	}
	if s := strings.Join(got, ""); s != want {
		t.Errorf("it went\n%s\nwant\n%s", s, want)
	}
}

// TestDocsAreInPackages: what users read comes along, and each link of it leads somewhere: to what
// came along, or to a file of the tree where that can be read.
func TestDocsAreInPackages(t *testing.T) {
	r, dir := get(t, second), t.TempDir()
	run(t, "dpkg-deb", "--extract", r.deb(t), filepath.Join(dir, "deb"))
	runIn(t, "", nil, "bash", "-euo", "pipefail", "-c", `mkdir "$2" && rpm2archive - <"$1" | tar -xzC "$2"`, "x", r.rpm(t), filepath.Join(dir, "rpm"))
	run(t, "tar", "-xzf", r.file(t, "*-linux-*.tar.gz"), "-C", dir, "--transform=s,^[^/]*,archive,")
	pages := []string{"README.md"}
	for _, pattern := range []string{"docs/*.md", "docs/runbooks/*.md"} {
		files, err := filepath.Glob(filepath.Join(top(t), pattern))
		if err != nil || len(files) < 15 {
			t.Fatalf("%s: %q, %v", pattern, files, err)
		}
		for _, f := range files {
			pages = append(pages, strings.TrimPrefix(f, top(t)+"/"))
		}
	}
	const elsewhere = "https://github.com/landlockd/landlockd/blob/main/"
	link := regexp.MustCompile(`\]\(([^)\s#]+)`)
	for _, root := range []string{"deb/usr/share/doc/landlockd", "rpm/usr/share/doc/landlockd", "archive"} {
		inside, outside := 0, 0
		for _, page := range pages {
			file := filepath.Join(dir, root, page)
			for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
				to := filepath.Join(filepath.Dir(file), m[1])
				path, ours := strings.CutPrefix(m[1], elsewhere)
				switch {
				case ours:
					to = filepath.Join(top(t), path)
					outside++
				case strings.Contains(m[1], "://"), strings.HasPrefix(m[1], "mailto:"):
					continue
				default:
					inside++
				}
				if _, err := os.Stat(to); err != nil {
					t.Errorf("%s/%s links %s: %v", root, page, m[1], err)
				}
			}
		}
		if inside < 150 || outside < 10 {
			t.Errorf("%s: %d links to what came along, %d to the tree", root, inside, outside)
		}
	}
}

// TestRulesAreInPackages: rules, alerts and dashboards, where provisioning.yml looks for them.
func TestRulesAreInPackages(t *testing.T) {
	r, dir := get(t, second), t.TempDir()
	run(t, "dpkg-deb", "--extract", r.deb(t), filepath.Join(dir, "deb"))
	runIn(t, "", nil, "bash", "-euo", "pipefail", "-c", `mkdir "$2" && rpm2archive - <"$1" | tar -xzC "$2"`, "x", r.rpm(t), filepath.Join(dir, "rpm"))
	run(t, "tar", "-xzf", r.file(t, "*-linux-*.tar.gz"), "-C", dir)
	archive, err := filepath.Glob(dir + "/landlockd-*")
	if err != nil || len(archive) != 1 {
		t.Fatal(archive, err)
	}
	for pattern, to := range map[string]string{
		"deploy/prometheus/rendered/*.yml": "prometheus", "deploy/grafana/dashboards/*.json": "grafana", "deploy/grafana/provisioning.yml": "grafana",
	} {
		files, err := filepath.Glob(filepath.Join(top(t), pattern))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range files {
			for _, at := range []string{dir + "/deb/usr/share/landlockd", dir + "/rpm/usr/share/landlockd", archive[0]} {
				run(t, "cmp", f, filepath.Join(at, to, filepath.Base(f)))
			}
		}
	}
	if text := read(t, dir+"/deb/usr/share/landlockd/grafana/provisioning.yml"); !strings.Contains(text, "path: /usr/share/landlockd/grafana\n") {
		t.Errorf("dashboards are looked for elsewhere:\n%s", text)
	}
}

// TestManual: troff has nothing to complain of, and every flag is in it.
func TestManual(t *testing.T) {
	r, dir := get(t, second), t.TempDir()
	run(t, "dpkg-deb", "--extract", r.deb(t), dir)
	page := filepath.Join(dir, "usr/share/man/man1/landlockd.1.gz")
	cmd := runBoth(t, "man", "--warnings", "--encoding=utf8", "--local-file", page)
	text := strings.Join(strings.Fields(cmd), " ")
	for _, want := range []string{
		"landlockd - coverage of Landlock sandboxes", "--web.listen-address=127.0.0.1:10644", "--web.config.file=FILE", "check-config", "rules suggest", "rules known",
		"/etc/landlockd/landlockd.yml", "EXIT STATUS", "landlockd 1.1.0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, complaint := range []string{"warning:", "error:", "build user:"} {
		if strings.Contains(cmd, complaint) {
			t.Errorf("the page is not clean:\n%s", cmd)
		}
	}
	// Flags of the program, as it lists them for the completion.
	program := filepath.Join(r.dir, "linux-"+debArch(t), "landlockd")
	flags := strings.Fields(run(t, program, "--completion-bash", "serve", "--"))
	if len(flags) < 20 {
		t.Fatalf("flags: %q", flags)
	}
	for _, f := range flags {
		if !strings.Contains(text, f) {
			t.Errorf("the page does not have %s", f)
		}
	}
}

func debArch(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(run(t, "dpkg", "--print-architecture"))
}

// runBoth returns what a program wrote to standard output and standard error.
func runBoth(t *testing.T, name string, args ...string) string {
	t.Helper()
	return runIn(t, "", []string{"MANWIDTH=200", "MAN_KEEP_FORMATTING="}, "sh", append([]string{"-euc", `exec "$0" "$@" 2>&1`, name}, args...)...)
}

// TestCompletion asks the three shells what follows.
func TestCompletion(t *testing.T) {
	r, dir := get(t, second), t.TempDir()
	run(t, "dpkg-deb", "--extract", r.deb(t), dir)
	share := filepath.Join(dir, "usr/share")
	path := "PATH=" + filepath.Join(dir, "usr/bin") + ":" + os.Getenv("PATH")
	shells := map[string][]string{
		"bash": {"bash", "--norc", "-c", `source "$1/bash-completion/completions/landlockd"; read -ra COMP_WORDS <<<"$2"; [[ $2 != *" " ]] || COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _landlockd; printf '%s\n' "${COMPREPLY[@]}"`, "x"},
		// zsh's own matching is left out: what is offered is filtered here.
		"zsh": {"zsh", "-f", "-c", `fpath=($1/zsh/vendor-completions $fpath); autoload -U compinit; compinit -D; [[ $_comps[landlockd] = _landlockd ]] || exit 1
			words=("${(@s. .)2}"); CURRENT=$#words; compadd() { for f in $found; do [[ $f = $words[CURRENT]* ]] && print -r -- $f; done; true }
			autoload -U _landlockd; _landlockd`, "x"},
		"fish": {"fish", "--no-config", "-c", `source $argv[1]/fish/vendor_completions.d/landlockd.fish; complete -C $argv[2]`},
	}
	for line, want := range map[string]string{
		"landlockd che":                   "check check-config",
		"landlockd serve --web.systemd":   "--web.systemd-socket",
		"landlockd --source ":             "auto both procattr taskiter",
		"landlockd once --format p":       "prometheus",
		"landlockd serve --config.file x": "",
		"landlockd rules s":               "suggest",
	} {
		for shell, args := range shells {
			out, err := tryIn(t.Context(), t.TempDir(), []string{path, "HOME=" + dir, "TERM=dumb"}, args[0], append(slices.Clone(args[1:]), share, line)...)
			if err != nil {
				t.Errorf("%s: %v", shell, err)
				continue
			}
			got := strings.Fields(out)
			slices.Sort(got)
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s: after %q comes %q, want %q", shell, line, s, want)
			}
		}
	}
}
