// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestMutualTLS: who has no certificate is refused, and many requests at once take one
// connection of HTTP/2.
func TestMutualTLS(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	cert, key := certificate(t, 1)
	write(t, filepath.Join(dir, "tls.crt"), cert, 0o644)
	write(t, filepath.Join(dir, "tls.key"), key, 0o644)
	config := write(t, filepath.Join(dir, "web.yml"),
		tlsConfig+"  client_ca_file: tls.crt\n  client_auth_type: RequireAndVerifyClientCert\n", 0o644)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	client := tlsClient(t, cert)
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
	transport.ForceAttemptHTTP2, transport.DisableKeepAlives = true, false
	d := startDaemon(t, daemonOptions{
		args: []string{"--confine=require", "--web.config.file=" + config}, client: client,
	})
	done := make(chan error)
	for range 8 {
		go func() {
			var wrong error
			for range 5 {
				resp, err := client.Get("https://" + d.addr + "/metrics")
				if err == nil {
					resp.Body.Close()
					if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
						err = fmt.Errorf("%s by %s", resp.Status, resp.Proto)
					}
				}
				wrong = errors.Join(wrong, err)
			}
			done <- wrong
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if resp, err := tlsClient(t, cert).Get("https://" + d.addr + "/metrics"); err == nil {
		resp.Body.Close()
		t.Errorf("without a certificate: %s", resp.Status)
	}
	client.CloseIdleConnections()
	d.stop(t)
}
