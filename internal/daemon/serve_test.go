// SPDX-License-Identifier: Apache-2.0

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/landlockd/landlockd/collector"
	"github.com/landlockd/landlockd/internal/api"
	"github.com/landlockd/landlockd/internal/metrics"
	"github.com/landlockd/landlockd/internal/policy"
	"github.com/landlockd/landlockd/internal/sources"
	"github.com/landlockd/landlockd/internal/web"
	"github.com/landlockd/landlockd/internal/workload"
	"github.com/landlockd/landlockd/scan"
)

// oneProcess is a host of one sandboxed process.
type oneProcess struct{}

func (oneProcess) Scan(context.Context) (*scan.Snapshot, error) {
	return &scan.Snapshot{
		Time: time.Now(), Kernel: scan.Kernel{Release: "6.12.9", Landlock: scan.Enabled, ABI: 6},
		Processes: []scan.Process{{PID: 10, Exe: "/bin/a", State: scan.Sandboxed, Depth: 1, MaxDepth: 1, NumTasks: 1}},
		Tasks:     []scan.Task{{TID: 10, State: scan.Sandboxed, Depth: 1}},
		TasksRead: 1,
	}, nil
}

func (oneProcess) Close() error { return nil }

// rules returns a configuration of so many rules.
func rules(n int) string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {name: r%d, match: {exe: [/bin/a]}}\n", i)
	}
	return b.String()
}

// newDaemon returns one that has been opened, as far as a test needs that, and the
// address of its metrics.
func newDaemon(t *testing.T, config string) (*Daemon, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := api.Listen(filepath.Join(t.TempDir(), "api.sock"))
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{
		o: Options{
			Sources:   sources.Options{ProcFS: "/proc", SysFS: "/sys"},
			Workloads: workload.Options{ProcFS: "/proc", CgroupFS: t.TempDir()},
			Metrics:   metrics.Options{Workloads: collector.WorkloadOptions{Limit: 10}},
			Denials:   true, MinInterval: -1, Lifecycle: true, ConfigFile: config,
			Web: web.Options{TelemetryPath: "/metrics"}, Logger: slog.New(slog.DiscardHandler),
			Build: collector.Build{Version: "1.2.3"},
		},
		opened: &opened{
			found:     sources.Found{Tried: map[string]string{"taskiter": ""}},
			listeners: []net.Listener{l}, api: socket, config: policy.Default(),
		},
		reader: oneProcess{},
	}
	return d, "http://" + l.Addr().String()
}

func request(t *testing.T, method, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// until waits until a page has a text.
func until(t *testing.T, url, text string) {
	t.Helper()
	body := ""
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, body = request(t, http.MethodGet, url); strings.Contains(body, text) {
			return
		}
	}
	t.Fatalf("no %q in:\n%s", text, body)
}

// A daemon is scraped, loads its rules again, and stops.
func TestServe(t *testing.T) {
	config := filepath.Join(t.TempDir(), "landlockd.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(rules(1))
	d, url := newDaemon(t, config)
	hangup, ended := make(chan os.Signal, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { ended <- d.Serve(ctx, hangup) }()

	until(t, url+"/-/ready", "is ready")
	for _, line := range []string{
		`landlock_processes{state="sandboxed"} 1`, `landlockd_build_info{`,
		`landlockd_rules{status="applied"} 1`, `landlockd_source_available{reason="",source="taskiter"} 1`,
		`landlockd_confined{mechanism="landlock"} 0`, `landlockd_scan_success 1`,
	} {
		until(t, url+"/metrics", line)
	}

	write(rules(2))
	hangup <- unix.SIGHUP
	until(t, url+"/metrics", `landlockd_rules{status="loaded"} 2`)
	write("rules: 1\n")
	if code, _ := request(t, http.MethodPost, url+"/-/reload"); code != http.StatusInternalServerError {
		t.Errorf("bad rules are loaded: %d", code)
	}
	until(t, url+"/metrics", "landlockd_config_last_reload_successful 0")
	until(t, url+"/metrics", `landlockd_rules{status="loaded"} 2`)
	write(rules(3))
	if code, body := request(t, http.MethodPost, url+"/-/reload"); code != http.StatusOK {
		t.Errorf("reload: %d %s", code, body)
	}
	until(t, url+"/metrics", `landlockd_rules{status="loaded"} 3`)

	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not stop")
	}
	if c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
		c.Close()
		t.Error("it listens after the end")
	}
}

// A scan that hangs keeps nobody from stopping the daemon, nor from asking how it is.
func TestServeStopsInSpiteOfScan(t *testing.T) {
	config := filepath.Join(t.TempDir(), "landlockd.yml")
	if err := os.WriteFile(config, []byte(rules(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	d, url := newDaemon(t, config)
	src := slowSource{make(chan struct{})}
	defer close(src.end)
	d.reader = src
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { ended <- d.Serve(ctx, nil) }()
	until(t, url+"/-/healthy", "is healthy")
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(10 * closeTime):
		t.Fatal("it does not stop")
	}
}

// What is wrong with options ends the start, as what its caller can mend.
func TestServeRefuses(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yml")
	if err := os.WriteFile(bad, []byte("rules: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Options){
		"bad.yml":        func(o *Options) { o.ConfigFile = bad },
		"telemetry path": func(o *Options) { o.Web.TelemetryPath = "/-/ready" },
	} {
		good := filepath.Join(t.TempDir(), "good.yml")
		if err := os.WriteFile(good, []byte(rules(1)), 0o600); err != nil {
			t.Fatal(err)
		}
		d, _ := newDaemon(t, good)
		change(&d.o)
		err := d.Serve(t.Context(), nil)
		d.close()
		var usage UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
