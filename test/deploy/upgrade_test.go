// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// conffiles are what packages install and operators change, in the tree and in the deb.
var conffiles = map[string]string{
	"deploy/systemd/landlockd.default": "/etc/default/landlockd",
	"deploy/packaging/landlockd.yml":   "/etc/landlockd/landlockd.yml",
}

// earlierLine is in the configuration that earlier installs, and in no other.
const earlierLine = "# as an earlier release had it\n"

// earlier is a release before first, whose configuration has another text: nothing is released
// yet, so it is made of the same tree.
var earlier = sync.OnceValues(func() (release, error) {
	return build("earlier", "v0.9.0", runtime.GOARCH, func() (string, error) {
		dir, err := copyTree("earlier-tree")
		for file := range conffiles {
			if err == nil {
				err = appendTo(filepath.Join(dir, file), earlierLine)
			}
		}
		return dir, err
	})
})

func appendTo(file, text string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, text...), 0o644)
}

// TestUpgradeDeb upgrades in the words of docs/install.md, with nobody who could answer: of two
// releases whose configuration differs, the changed file stays and the other one is replaced. Rules
// are in force before and after.
func TestUpgradeDeb(t *testing.T) {
	was, is := get(t, earlier), get(t, second)
	words := commands(t)["Upgrades without a question"]
	if len(words) != 1 {
		t.Fatalf("docs/install.md says to upgrade by %q", words)
	}
	g := boot(t)
	write(t, g.path("/tmp/was/landlockd_0.9.0.deb"), read(t, was.deb(t)))
	write(t, g.path("/tmp/is/landlockd_1.1.0.deb"), read(t, is.deb(t)))
	for _, changed := range conffiles {
		g.run(t, "dpkg", "--install", "/tmp/was/landlockd_0.9.0.deb")
		for _, file := range conffiles {
			if !strings.HasSuffix(read(t, g.path(file)), earlierLine) {
				t.Fatalf("%s is not the earlier release's", file)
			}
		}
		own := read(t, g.path(changed)) + "# and ours\n"
		write(t, g.path(changed), own)
		const rules = "rules: [{name: ours, match: {uid: [4242]}}]\n"
		write(t, g.path("/etc/landlockd/rules.d/ours.yml"), rules)
		g.run(t, "systemctl", "restart", unit)
		uid := g.run(t, "id", "--user", "landlockd")
		before := g.mainPID(t)

		g.run(t, "sh", "-euc", "cd /tmp/is; exec </dev/null; "+words[0])
		if g.mainPID(t) == before {
			t.Error("the upgrade did not restart it")
		}
		page := g.scrape(t, address)
		mustBe(t, page, healthy)
		mustBe(t, page, map[string]string{`landlockd_rules{status="loaded"}`: "1"})
		if v := version(page); v != "v1.1.0" {
			t.Errorf("after the upgrade %s runs", v)
		}
		if now := g.run(t, "id", "--user", "landlockd"); now != uid {
			t.Errorf("its user was %s, and is %s", uid, now)
		}
		for shipped, file := range conffiles {
			want := own
			if file != changed {
				want = read(t, filepath.Join(top(t), shipped))
			}
			if got := read(t, g.path(file)); got != want {
				t.Errorf("with %s changed, %s is after the upgrade\n%s", changed, file, got)
			}
		}
		if got := read(t, g.path("/etc/landlockd/rules.d/ours.yml")); got != rules {
			t.Errorf("the upgrade made of rules:\n%s", got)
		}
		g.run(t, "dpkg", "--purge", "landlockd")
	}
}

// TestUpgradeRPM is the same with rpm, which never asks.
func TestUpgradeRPM(t *testing.T) {
	testenv.NeedRoot(t)
	was, is := get(t, earlier), get(t, second)
	out, err := inOverlay(t.Context(), t.TempDir(), `
		mount --rbind /proc "$root/proc"; mount --rbind /dev "$root/dev"
		rpm() { command rpm --root "$root" "$@" >&2; }
		files="etc/sysconfig/landlockd etc/landlockd/landlockd.yml"
		for changed in $files; do
			rpm -i --nodeps --force-debian "$1"
			echo "# and ours" >>"$root/$changed"
			echo "rules: []" >"$root/etc/landlockd/rules.d/ours.yml"
			rpm -U --nodeps --force-debian "$2" </dev/null
			for file in $files; do
				echo "$file: $(tail -n 1 "$root/$file")" "$(grep -c "as an earlier" "$root/$file" || :)" $(ls "$root/$file".rpm* 2>/dev/null | sed 's|.*/||')
			done
			cat "$root/etc/landlockd/rules.d/ours.yml"
			rpm -e landlockd
			rm -rf "$root/etc/landlockd" "$root/etc/sysconfig"
			echo "=="
		done`, was.rpm(t), is.rpm(t))
	if err != nil {
		t.Fatal(err)
	}
	last := func(shipped string) string {
		lines := strings.Split(strings.TrimRight(read(t, filepath.Join(top(t), shipped)), "\n"), "\n")
		return lines[len(lines)-1]
	}
	flags, rules := last("deploy/systemd/landlockd.default"), last("deploy/packaging/landlockd.yml")
	want := "etc/sysconfig/landlockd: # and ours 1 landlockd.rpmnew\n" +
		"etc/landlockd/landlockd.yml: " + rules + " 0\nrules: []\n==\n" +
		"etc/sysconfig/landlockd: " + flags + " 0\n" +
		"etc/landlockd/landlockd.yml: # and ours 1 landlockd.yml.rpmnew\nrules: []\n==\n"
	if out != want {
		t.Errorf("it went\n%s\nwant\n%s", out, want)
	}
}
