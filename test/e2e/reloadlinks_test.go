// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// flip makes a link lead to another place in one step.
func flip(t *testing.T, link, to string) {
	t.Helper()
	if err := os.Symlink(to, link+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+".new", link); err != nil {
		t.Fatal(err)
	}
}

// makeDir makes a directory that every user may search.
func makeDir(t *testing.T, elem ...string) string {
	t.Helper()
	dir := filepath.Join(elem...)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

const (
	oldRule = "rules: [{name: old, match: {unit: [none.service]}}]\n"
	// Two, so that their number shows which rules are in force.
	newRules = "rules: [{name: new, match: {unit: [none.service]}}, {name: newer, match: {unit: [none.service]}}]\n"
)

// Wherever files come to be below a directory of a file that was there at the start, a
// reload finds them there. Elsewhere the serving stage may not read: the rules stay, and
// the log says what to do.
func TestReloadThroughLinks(t *testing.T) {
	testenv.NeedRoot(t)
	// Each makes a configuration in a directory and returns its path, and what replaces it.
	for name, c := range map[string]struct {
		lay     func(dir, elsewhere string) (config string, replace func())
		outside bool
	}{
		"ConfigMap": {lay: func(dir, _ string) (string, func()) {
			for date, text := range map[string]string{"..2026_11_27": oldRule, "..2026_11_28": newRules} {
				write(t, filepath.Join(makeDir(t, dir, date), "landlockd.yml"), text, 0o644)
			}
			flip(t, filepath.Join(dir, "..data"), "..2026_11_27")
			flip(t, filepath.Join(dir, "landlockd.yml"), "..data/landlockd.yml")
			return filepath.Join(dir, "landlockd.yml"), func() {
				flip(t, filepath.Join(dir, "..data"), "..2026_11_28")
				if err := os.RemoveAll(filepath.Join(dir, "..2026_11_27")); err != nil {
					t.Fatal(err)
				}
			}
		}},
		"directory of rules, to a sibling": {lay: func(dir, _ string) (string, func()) {
			write(t, filepath.Join(makeDir(t, dir, "rules-v1"), "a.yml"), oldRule, 0o644)
			flip(t, filepath.Join(dir, "current"), "rules-v1")
			return write(t, filepath.Join(dir, "landlockd.yml"), "rule_files: [current/*.yml]\n", 0o644), func() {
				write(t, filepath.Join(makeDir(t, dir, "rules-v2"), "a.yml"), newRules, 0o644)
				flip(t, filepath.Join(dir, "current"), "rules-v2")
			}
		}},
		"directory of rules, replaced": {lay: func(dir, _ string) (string, func()) {
			rules := makeDir(t, dir, "rules.d")
			write(t, filepath.Join(rules, "a.yml"), oldRule, 0o644)
			return write(t, filepath.Join(dir, "landlockd.yml"), "rule_files: [rules.d/*.yml]\n", 0o644), func() {
				write(t, filepath.Join(makeDir(t, dir, "next"), "a.yml"), newRules, 0o644)
				if err := os.Rename(rules, rules+".old"); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(filepath.Join(dir, "next"), rules); err != nil {
					t.Fatal(err)
				}
			}
		}},
		"directory of rules, to elsewhere": {outside: true, lay: func(dir, elsewhere string) (string, func()) {
			write(t, filepath.Join(makeDir(t, dir, "rules-v1"), "a.yml"), oldRule, 0o644)
			flip(t, filepath.Join(dir, "current"), "rules-v1")
			write(t, filepath.Join(elsewhere, "a.yml"), newRules, 0o644)
			return write(t, filepath.Join(dir, "landlockd.yml"), "rule_files: [current/*.yml]\n", 0o644), func() {
				flip(t, filepath.Join(dir, "current"), elsewhere)
			}
		}},
		"configuration, to elsewhere": {outside: true, lay: func(dir, elsewhere string) (string, func()) {
			write(t, filepath.Join(dir, "v1.yml"), oldRule, 0o644)
			flip(t, filepath.Join(dir, "landlockd.yml"), "v1.yml")
			return filepath.Join(dir, "landlockd.yml"), func() {
				flip(t, filepath.Join(dir, "landlockd.yml"), write(t, filepath.Join(elsewhere, "v2.yml"), newRules, 0o644))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			elsewhere := testenv.PublicDir(t)
			config, replace := c.lay(testenv.PublicDir(t), elsewhere)
			o := daemonOptions{args: []string{"--config.file=" + config, "--confine=require"}}
			d := startDaemon(t, o)
			const loaded = `landlockd_rules{status="loaded"}`
			d.scrape(t).has(t, loaded, 1)
			replace()
			d.hangUp(t)
			m := d.scrape(t)
			if !c.outside {
				m.has(t, loaded, 2)
				m.has(t, reloaded, 1)
				return
			}
			m.has(t, loaded, 1)
			m.has(t, reloaded, 0)
			for _, want := range []string{"permission denied", "restart landlockd", elsewhere} {
				if !strings.Contains(d.stderr.String(), want) {
					t.Errorf("the log does not tell %q:\n%s", want, &d.stderr)
				}
			}
			d.stop(t)
			startDaemon(t, o).scrape(t).has(t, loaded, 2)
		})
	}
}

// The same for the web configuration, which is read for each connection.
func TestCertificateLeadsElsewhere(t *testing.T) {
	testenv.NeedRoot(t)
	dir, elsewhere := testenv.PublicDir(t), testenv.PublicDir(t)
	cert, key := certificate(t, 1)
	write(t, filepath.Join(makeDir(t, dir, "v1"), "tls.crt"), cert, 0o644)
	write(t, filepath.Join(dir, "v1/tls.key"), key, 0o644)
	flip(t, filepath.Join(dir, "live"), "v1")
	config := write(t, filepath.Join(dir, "web.yml"),
		"tls_server_config:\n  cert_file: live/tls.crt\n  key_file: live/tls.key\n", 0o644)
	renewed, renewedKey := certificate(t, 2)
	d := startDaemon(t, daemonOptions{
		args: []string{"--confine=require", "--web.config.file=" + config}, client: tlsClient(t, cert, renewed),
	})
	for _, in := range []string{makeDir(t, dir, "v2"), elsewhere} {
		write(t, filepath.Join(in, "tls.crt"), renewed, 0o644)
		write(t, filepath.Join(in, "tls.key"), renewedKey, 0o644)
	}
	flip(t, filepath.Join(dir, "live"), "v2")
	d.hangUp(t)
	resp, _ := d.do(t, http.MethodGet, "/-/ready")
	if serial := resp.TLS.PeerCertificates[0].SerialNumber.Int64(); serial != 2 {
		t.Errorf("it shows certificate %d", serial)
	}
	flip(t, filepath.Join(dir, "live"), elsewhere)
	// Without a reload nobody can connect, and the log has why.
	if status, _ := d.try("/-/ready"); status != 0 {
		t.Errorf("it answers %d", status)
	}
	eventually(t, "the log tells why nobody can connect", func() bool {
		return regexp.MustCompile(`level=ERROR .*Nobody can connect.*live/tls.crt: permission denied`).MatchString(d.stderr.String())
	})
	d.hangUp(t)
	for _, want := range []string{"Configuration not loaded", "--web.config.file " + config, "restart landlockd", elsewhere} {
		if !strings.Contains(d.stderr.String(), want) {
			t.Errorf("the log does not tell %q:\n%s", want, &d.stderr)
		}
	}
}
