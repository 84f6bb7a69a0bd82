// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landlockd/landlockd/test/testenv"
)

// certificate makes a self-signed one for loopback and returns its PEM and its
// key's.
func certificate(t *testing.T, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "landlockd test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return block("CERTIFICATE", der), block("PRIVATE KEY", pkcs8)
}

// tlsClient trusts the certificates, and connects anew for every request.
func tlsClient(t *testing.T, certs ...string) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	for _, c := range certs {
		if !pool.AppendCertsFromPEM([]byte(c)) {
			t.Fatal("no certificate")
		}
	}
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
}

const (
	tlsConfig = "tls_server_config:\n  cert_file: tls.crt\n  key_file: tls.key\n"
	// The password is "secret".
	userConfig = "basic_auth_users:\n  prometheus: $2a$04$PC6S1RgKhvzgI.PnDJRrq.b6iZtnok5.xNSnnI7hSgzE93k7JevMW\n"
)

func TestTLSAndAuthentication(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	cert, key := certificate(t, 1)
	renewed, renewedKey := certificate(t, 2)
	write(t, filepath.Join(dir, "tls.crt"), cert, 0o644)
	write(t, filepath.Join(dir, "tls.key"), key, 0o644)
	write(t, filepath.Join(dir, "web.yml"), tlsConfig+userConfig, 0o644)
	d := startDaemon(t, daemonOptions{
		args: []string{"--confine=require", "--web.config.file=web.yml"}, client: tlsClient(t, cert, renewed),
		change: func(c *exec.Cmd) { c.Dir = dir },
	})
	for _, c := range []struct {
		user, password string
		status         int
	}{{"", "", 401}, {"prometheus", "wrong", 401}, {"nobody", "secret", 401}, {"prometheus", "secret", 200}} {
		if status := authenticated(t, d, c.user, c.password).StatusCode; status != c.status {
			t.Errorf("user %q, password %q: %d, want %d", c.user, c.password, status, c.status)
		}
	}
	if resp, err := http.Get("http://" + d.addr + "/metrics"); err == nil {
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("it serves without TLS, too")
		}
	}
	if want := "metrics=https://" + d.addr; !strings.Contains(d.stderr.String(), want) {
		t.Errorf("the log does not tell %s: %s", want, &d.stderr)
	}

	// Certificates are renewed by renaming others over them.
	replace(t, filepath.Join(dir, "tls.key"), renewedKey)
	replace(t, filepath.Join(dir, "tls.crt"), renewed)
	resp := authenticated(t, d, "prometheus", "secret")
	if serial := resp.TLS.PeerCertificates[0].SerialNumber.Int64(); serial != 2 {
		t.Errorf("after the renewal it shows certificate %d", serial)
	}
	d.stop(t)
}

func authenticated(t *testing.T, d *daemon, user, password string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "https://"+d.addr+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := d.client.Do(req)
	if err != nil {
		t.Fatalf("%v\nthe daemon's log: %s", err, &d.stderr)
	}
	resp.Body.Close()
	return resp
}

// replace puts a new file in the place of another in one step.
func replace(t *testing.T, path, text string) {
	t.Helper()
	if err := os.Rename(write(t, path+".new", text, 0o644), path); err != nil {
		t.Fatal(err)
	}
}

// Certificates often are links: to a directory that is replaced as a whole, or
// relative ones into another.
func TestTLSThroughLinks(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	for _, sub := range []string{"live", "archive", "etc"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := certificate(t, 1)
	renewed, renewedKey := certificate(t, 2)
	link := func(to, name string) {
		t.Helper()
		flip(t, filepath.Join(dir, "live", name), to)
	}
	write(t, filepath.Join(dir, "archive/1.crt"), cert, 0o644)
	write(t, filepath.Join(dir, "archive/1.key"), key, 0o644)
	link("../archive/1.crt", "tls.crt")
	link("../archive/1.key", "tls.key")
	config := write(t, filepath.Join(dir, "etc/web.yml"),
		"tls_server_config:\n  cert_file: ../live/tls.crt\n  key_file: "+dir+"/live/tls.key\n", 0o644)
	d := startDaemon(t, daemonOptions{
		args: []string{"--confine=require", "--web.config.file=" + config}, client: tlsClient(t, cert, renewed),
	})
	write(t, filepath.Join(dir, "archive/2.crt"), renewed, 0o644)
	write(t, filepath.Join(dir, "archive/2.key"), renewedKey, 0o644)
	link("../archive/2.key", "tls.key")
	link("../archive/2.crt", "tls.crt")
	resp, _ := d.do(t, http.MethodGet, "/metrics")
	if serial := resp.TLS.PeerCertificates[0].SerialNumber.Int64(); serial != 2 {
		t.Errorf("after the renewal it shows certificate %d", serial)
	}
}

// The certificate may stand in the configuration itself.
func TestTLSInline(t *testing.T) {
	testenv.NeedRoot(t)
	cert, key := certificate(t, 1)
	indent := func(s string) string { return "    " + strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n    ") + "\n" }
	config := write(t, filepath.Join(testenv.PublicDir(t), "web.yml"),
		"tls_server_config:\n  cert: |\n"+indent(cert)+"  key: |\n"+indent(key), 0o644)
	d := startDaemon(t, daemonOptions{
		args: []string{"--confine=require", "--web.config.file=" + config}, client: tlsClient(t, cert),
	})
	d.scrape(t).has(t, "landlock_enabled", 1)
	if want := "metrics=https://" + d.addr; !strings.Contains(d.stderr.String(), want) {
		t.Errorf("the log does not tell %s: %s", want, &d.stderr)
	}
}

func TestTLSKeyThatOnlyRootCanRead(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	cert, key := certificate(t, 1)
	write(t, filepath.Join(dir, "tls.crt"), cert, 0o644)
	write(t, filepath.Join(dir, "tls.key"), key, 0o600)
	config := write(t, filepath.Join(dir, "web.yml"), tlsConfig, 0o644)
	p := run(t, "--web.listen-address=127.0.0.1:0", "--web.config.file="+config, apiFlag)
	checkRefusal(t, p, exitUsage, "--web.config.file", "tls.key", "permission denied", servingUID(t))
}
