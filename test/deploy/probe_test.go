// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/landlockd/landlockd/test/testenv"
)

// TestProbes runs landlockd with the web configuration of a Secret, as the chart has it, and
// probes it as the kubelet does: without a password, and whatever the certificate. What would be
// the probe for less must fail where more is asked for.
func TestProbes(t *testing.T) {
	testenv.NeedRoot(t)
	dir := t.TempDir()
	run(t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=landlockd",
		"-keyout", filepath.Join(dir, "tls.key"), "-out", filepath.Join(dir, "tls.crt"))
	run(t, "chmod", "0755", dir, filepath.Dir(dir))
	run(t, "chmod", "0644", filepath.Join(dir, "tls.key"))
	program := filepath.Join(dir, "landlockd")
	runIn(t, top(t), nil, "go", "build", "-o", program, "./cmd/landlockd")
	const tlsPart = "tls_server_config: {cert_file: tls.crt, key_file: tls.key}\n"
	// The password is "test", as in exporter-toolkit's documentation.
	const users = "basic_auth_users: {a: $2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay}\n"
	for name, c := range map[string]struct{ config, values, wrong string }{
		"tls":          {tlsPart, "webConfig: {existingSecret: s, authenticates: false}", "{}"},
		"tls and auth": {tlsPart + users, "webConfig: {existingSecret: s}", "webConfig: {existingSecret: s, authenticates: false}"},
		"auth":         {users, "webConfig: {existingSecret: s, scheme: http}", "webConfig: {existingSecret: s, scheme: http, authenticates: false}"},
		"neither":      {"", "{}", "webConfig: {existingSecret: s, authenticates: false}"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, filepath.Join(dir, "web.yml"), c.config)
			address := testenv.FreeAddress(t)
			ds := find[*appsv1.DaemonSet](t, withValues(t, c.values))
			var args []string
			for _, a := range ds.Spec.Template.Spec.Containers[0].Args {
				a = strings.ReplaceAll(a, "/etc/landlockd-web", dir)
				switch {
				case strings.HasPrefix(a, "--path.sysfs"):
				case strings.HasPrefix(a, "--web.listen-address"):
					args = append(args, "--web.listen-address="+address)
				default:
					args = append(args, a)
				}
			}
			cmd := exec.Command(program, args...)
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = cmd.Process.Signal(syscall.SIGTERM)
				if err := cmd.Wait(); err != nil {
					t.Errorf("%v\n%s", err, said.String())
				}
			}()
			probe := ds.Spec.Template.Spec.Containers[0].ReadinessProbe
			eventually(t, "the probe of the chart succeeds", func() error { return asKubelet(t.Context(), probe, address) })
			wrong := find[*appsv1.DaemonSet](t, withValues(t, c.wrong)).Spec.Template.Spec.Containers[0].ReadinessProbe
			if asKubelet(t.Context(), wrong, address) == nil {
				t.Errorf("%+v succeeds too", wrong)
			}
		})
	}
}

// asKubelet is one probe: a page is right from 200 to 399, certificates are not checked.
func asKubelet(ctx context.Context, probe *corev1.Probe, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	switch {
	case probe.TCPSocket != nil:
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			err = c.Close()
		}
		return err
	case probe.HTTPGet != nil:
		scheme := "http"
		if probe.HTTPGet.Scheme != "" {
			scheme = strings.ToLower(string(probe.HTTPGet.Scheme))
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+address+probe.HTTPGet.Path, http.NoBody)
		if err != nil {
			return err
		}
		client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode < 200 || resp.StatusCode >= 400 {
			return fmt.Errorf("%s: %s", req.URL, resp.Status)
		}
		return nil
	}
	return errors.New("no probe that is known here")
}
