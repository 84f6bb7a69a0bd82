// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/landlockd/landlockd/test/testenv"
)

// runbookCommands are the commands of the section "One command" of each runbook, by alert: on a
// host, and, without what finds the pod, what of landlockd's is run in one.
func runbookCommands(t *testing.T) (host, inPod map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(top(t), "docs/runbooks/Landlock*.md"))
	if err != nil || len(files) < 18 {
		t.Fatalf("%d runbooks, %v", len(files), err)
	}
	host, inPod = map[string]string{}, map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		_, text, _ := strings.Cut(read(t, file), "\n## One command\n")
		text, _, _ = strings.Cut(text, "\n## ")
		for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
			command := strings.TrimSpace(strings.ReplaceAll(m[1], "\\\n", " "))
			switch _, of, exec := strings.Cut(command, " -- "); {
			case !strings.HasPrefix(command, "kubectl "):
				host[name] = command
			case exec:
				inPod[name] = of
			}
		}
	}
	return host, inPod
}

// look runs what a runbook shows, which ends as what it looks at is (3 is what systemctl has for
// a unit that does not run, 2 is wrong usage of landlockd) and says something.
func look(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.CombinedOutput()
	code := cmd.ProcessState.ExitCode()
	if code < 0 || code == 2 || code > 3 || len(bytes.TrimSpace(out)) == 0 || bytes.Contains(out, []byte("panic")) {
		return fmt.Errorf("%w, exit code %d\n%s", errors.Join(err, errors.New("it shows nothing")), code, out)
	}
	return nil
}

const runbookRules = "rules:\n  - {name: all, match: {exe: [\"/**\"]}, expect: {state: [sandboxed]}, grace: 1s}\n"

// TestRunbooksOnAHost runs what the runbooks show on a host where the deb is installed and landlockd
// is not confined.
func TestRunbooksOnAHost(t *testing.T) {
	host, _ := runbookCommands(t)
	g := boot(t)
	deb := get(t, second).deb(t)
	write(t, g.path("/tmp/"+filepath.Base(deb)), read(t, deb))
	g.run(t, "sh", "-euc", "apt-get install -y /tmp/landlockd_*.deb")
	write(t, g.path("/etc/landlockd/landlockd.yml"), runbookRules)
	// So that there is something to say of how it is confined.
	write(t, g.path("/etc/default/landlockd"), "ARGS=\"--confine=off\"\n")
	g.run(t, "systemctl", "restart", "landlockd")
	mustBe(t, g.scrape(t, address), map[string]string{"landlockd_scan_success": "1"})
	// systemctl has 4 for units that are not there, as the agent here.
	for name, command := range host {
		if out, err := g.try(t, "sh", "-c", "{ "+command+"; } 2>&1; case $? in 0|1|3|4) ;; *) exit 9;; esac"); err != nil || strings.TrimSpace(out) == "" {
			t.Errorf("%s: %s: %v\n%s", name, command, err, out)
		}
	}
	if len(host) < 18 {
		t.Errorf("only %d commands", len(host))
	}
	if out, err := g.try(t, "sh", "-c", host["LandlockdUnconfined"]+" 2>&1"); err != nil || !strings.Contains(out, "--confine=off") {
		t.Errorf("it does not show why it is unconfined: %v\n%s", err, out)
	}
}

// TestRunbooksInAPod runs in a container, as of the DaemonSet, what the runbooks run in a pod.
func TestRunbooksInAPod(t *testing.T) {
	_, inPod := runbookCommands(t)
	s := newStore(t)
	removeParents(t)
	id := s.image(t, runtime.GOARCH)
	if err := os.Mkdir("/var/log/containers", 0o755); err == nil {
		defer os.Remove("/var/log/containers")
	}
	ds := find[*appsv1.DaemonSet](t, kustomize(t, "base"))
	address := testenv.FreeAddress(t)
	args := podmanArgs(t, s, ds, containerdProfile(t), id, address)
	name := fmt.Sprintf("landlockd-runbooks-%d", os.Getpid())
	rules := filepath.Join(t.TempDir(), "rules")
	write(t, filepath.Join(rules, "landlockd.yml"), runbookRules)
	run(t, "chmod", "-R", "a+rX", filepath.Dir(filepath.Dir(rules)))
	args = slices.Insert(args, slices.Index(args, "--rm"), "--name="+name, "--volume="+rules+":/etc/landlockd:ro")
	cmd := exec.Command("podman", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			t.Errorf("it did not end\n%s", said.String())
		}
	}()
	eventually(t, "the container serves", func() error {
		_, err := try(t.Context(), "curl", "--silent", "--fail", "--max-time", "10", "http://"+address+"/metrics")
		return err
	})
	for alert, command := range inPod {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if err := look(ctx, "podman", append(append(slices.Clone(s), "--runtime=runc", "exec", name), strings.Fields(command)...)...); err != nil {
			t.Errorf("%s: %s: %v", alert, command, err)
		}
		cancel()
	}
	if len(inPod) < 10 {
		t.Errorf("only %d commands", len(inPod))
	}
	out, err := try(t.Context(), "podman", append(append(slices.Clone(s), "--runtime=runc", "exec", name), strings.Fields(inPod["LandlockRuleViolated"])...)...)
	if err == nil || !strings.Contains(out, "unsandboxed") {
		t.Errorf("it does not show what violates the rule: %v\n%s\n%s", err, out, said.String())
	}
}
