// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/landlockd/landlockd/test/testenv"
)

func TestBadInput(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := func(name, text string) string { return write(t, filepath.Join(dir, name), text, 0o644) }
	web := "--web.config.file="
	for name, c := range map[string]struct {
		args  []string
		env   string
		code  int
		texts []string
	}{
		"unknown flag":          {args: []string{"--no-such-flag"}, code: exitUsage, texts: []string{"--no-such-flag", "--help"}},
		"unknown short flag":    {args: []string{"-Z"}, code: exitUsage, texts: []string{"-Z"}},
		"unknown command":       {args: []string{"servce"}, code: exitUsage, texts: []string{"servce"}},
		"command too many":      {args: []string{"once", "more"}, code: exitUsage, texts: []string{"more"}},
		"flag of another":       {args: []string{"tree", "--web.listen-address=:1"}, code: exitUsage, texts: []string{"--web.listen-address"}},
		"no argument":           {args: []string{"--confine"}, code: exitUsage, texts: []string{"--confine"}},
		"confine how":           {args: []string{"--confine=maybe"}, code: exitUsage, texts: []string{"require", "best-effort", "off", "maybe"}},
		"log level":             {args: []string{"--log.level=loud"}, code: exitUsage, texts: []string{"loud"}},
		"log format":            {args: []string{"--log.format=xml"}, code: exitUsage, texts: []string{"xml"}},
		"format":                {args: []string{"once", "--format=xml"}, code: exitUsage, texts: []string{"xml"}},
		"summary of metrics":    {args: []string{"once", "--summary"}, code: exitUsage, texts: []string{"--summary", "json"}},
		"textfile of JSON":      {args: []string{"once", "--format=json", "--textfile=x.prom"}, code: exitUsage, texts: []string{"--textfile"}},
		"no number":             {args: []string{"--web.max-requests=many"}, code: exitUsage, texts: []string{"many"}},
		"negative number":       {args: []string{"--web.max-requests=-1"}, code: exitUsage, texts: []string{"--web.max-requests", "-1"}},
		"negative limit":        {args: []string{"--workload.limit=-1"}, code: exitUsage, texts: []string{"--workload.limit", "-1"}},
		"bad expression":        {args: []string{"--workload.include=a("}, code: exitUsage, texts: []string{"--workload.include", "a("}},
		"expression not whole":  {args: []string{"once", "--workload.exclude=a)(b"}, code: exitUsage, texts: []string{"--workload.exclude"}},
		"negative interval":     {args: []string{"--scan.min-interval=-1s"}, code: exitUsage, texts: []string{"--scan.min-interval", "-1s"}},
		"no interval":           {args: []string{"--scan.min-interval=soon"}, code: exitUsage, texts: []string{"soon"}},
		"address is empty":      {args: []string{"--web.listen-address="}, code: exitUsage, texts: []string{"--web.listen-address", "empty"}},
		"web config is empty":   {args: []string{"serve", "--web.config.file="}, code: exitUsage, texts: []string{"--web.config.file", "empty"}},
		"expression is empty":   {args: []string{"once", "--workload.include="}, code: exitUsage, texts: []string{"--workload.include", "empty"}},
		"address without port":  {args: []string{"--web.listen-address=127.0.0.1"}, code: exitUsage, texts: []string{"--web.listen-address", "127.0.0.1"}},
		"port out of range":     {args: []string{"--web.listen-address=127.0.0.1:99999"}, code: exitUsage, texts: []string{"--web.listen-address", "99999"}},
		"port no number":        {args: []string{"--web.listen-address=127.0.0.1:http!"}, code: exitUsage, texts: []string{"--web.listen-address", "http!"}},
		"address of no host":    {args: []string{"--web.listen-address=256.0.0.1:0"}, code: exitFailure, texts: []string{"--web.listen-address", "256.0.0.1"}},
		"address not here":      {args: []string{"--web.listen-address=192.0.2.1:0"}, code: exitFailure, texts: []string{"--web.listen-address", "192.0.2.1"}},
		"port taken":            {args: []string{"--web.listen-address=" + taken.Addr().String()}, code: exitFailure, texts: []string{taken.Addr().String(), "address already in use"}},
		"one of two ports":      {args: []string{"--web.listen-address=127.0.0.1:0", "--web.listen-address=" + taken.Addr().String()}, code: exitFailure, texts: []string{"address already in use"}},
		"telemetry path":        {args: []string{"--web.telemetry-path=metrics"}, code: exitUsage, texts: []string{"metrics", "absolute"}},
		"telemetry is ready":    {args: []string{"--web.telemetry-path=/-/ready"}, code: exitUsage, texts: []string{"/-/ready"}},
		"telemetry is healthy":  {args: []string{"--web.telemetry-path=/-/healthy"}, code: exitUsage, texts: []string{"/-/healthy"}},
		"telemetry is empty":    {args: []string{"--web.telemetry-path="}, code: exitUsage, texts: []string{"--web.telemetry-path"}},
		"procfs is no proc":     {args: []string{"--path.procfs=" + dir}, code: exitUsage, texts: []string{"--path.procfs", dir}},
		"procfs is a file":      {args: []string{"--path.procfs=" + file("proc", "")}, code: exitUsage, texts: []string{"--path.procfs"}},
		"procfs is missing":     {args: []string{"--path.procfs=/no/such/dir"}, code: exitUsage, texts: []string{"--path.procfs", "/no/such/dir", "no such file"}},
		"procfs, once":          {args: []string{"once", "--path.procfs=/no/such/dir"}, code: exitUsage, texts: []string{"--path.procfs"}},
		"web config missing":    {args: []string{web + dir + "/none.yml"}, code: exitUsage, texts: []string{"--web.config.file", "none.yml", "no such file"}},
		"web config directory":  {args: []string{web + dir}, code: exitUsage, texts: []string{"--web.config.file", dir}},
		"web config no YAML":    {args: []string{web + file("bad.yml", "tls_server_config: [")}, code: exitUsage, texts: []string{"--web.config.file", "bad.yml"}},
		"web config, more":      {args: []string{web + file("more.yml", "tls_server_config:\n  certificate: x\nnonsense: 1\n")}, code: exitUsage, texts: []string{"more.yml"}},
		"web config, no key":    {args: []string{web + file("nokey.yml", "tls_server_config:\n  cert_file: c.pem\n")}, code: exitUsage, texts: []string{"nokey.yml", "key"}},
		"TLS key missing":       {args: []string{web + file("gone.yml", "tls_server_config:\n  cert_file: c.pem\n  key_file: k.pem\n")}, code: exitUsage, texts: []string{"gone.yml", "c.pem"}},
		"TLS key is none":       {args: []string{web + file("none.yml2", "tls_server_config:\n  cert_file: proc\n  key_file: proc\n")}, code: exitUsage, texts: []string{"none.yml2"}},
		"web config unreadable": {args: []string{web + write(t, filepath.Join(dir, "root.yml"), "", 0o600)}, code: exitUsage, texts: []string{"root.yml", "permission denied"}},
		"socket without systemd": {
			args: []string{"--web.systemd-socket"}, code: exitUsage, texts: []string{"--web.systemd-socket", "socket unit"},
		},
		"stage by hand, number": {env: "LANDLOCKD_STAGE=3", code: exitUsage, texts: []string{"LANDLOCKD_STAGE"}},
		"stage by hand, empty":  {env: "LANDLOCKD_STAGE=", code: exitUsage, texts: []string{"LANDLOCKD_STAGE"}},
		"stage by hand":         {env: "LANDLOCKD_STAGE=serving", code: exitUsage, texts: []string{"LANDLOCKD_STAGE"}},
		"service manager":       {env: "NOTIFY_SOCKET=" + dir + "/none", code: exitFailure, texts: []string{"NOTIFY_SOCKET", dir + "/none"}},
		"service manager, kind": {env: "NOTIFY_SOCKET=relative", code: exitFailure, texts: []string{"NOTIFY_SOCKET", "relative"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := c.args
			if len(args) == 0 || args[0][:2] == "--" && !hasAddress(args) {
				args = append(args, "--web.listen-address=127.0.0.1:0", apiFlag)
			}
			p := runWith(t, func(cmd *exec.Cmd) {
				cmd.Dir = dir
				if c.env != "" {
					cmd.Env = append(cmd.Env, c.env)
				}
			}, args...)
			checkRefusal(t, p, c.code, c.texts...)
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "x.prom")); err == nil {
		t.Error("a refused command wrote a file")
	}
}

// A daemon that does not start because of its rules says all that is wrong with the file that it
// was given, a line each: what checks them before would have to be given the same file.
func TestBadRulesAreAllSaid(t *testing.T) {
	testenv.NeedRoot(t)
	file := write(t, filepath.Join(testenv.PublicDir(t), "rules.yml"),
		"rules:\n  - {nam: wrong}\n  - {name: a, match: {unit: [x]}, grace: soon}\n", 0o644)
	p := run(t, "--web.listen-address=127.0.0.1:0", apiFlag, "--config.file="+file)
	if code := p.wait(t); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	checked := run(t, "check-config", file)
	checked.wait(t)
	var want strings.Builder
	for line := range strings.Lines(checked.stderr.String()) {
		want.WriteString("landlockd: " + line)
	}
	if strings.Count(want.String(), file+":") < 2 || p.stderr.String() != want.String() {
		t.Errorf("it says\n%s\nwant\n%s", &p.stderr, &want)
	}
}

func hasAddress(args []string) bool {
	for _, a := range args {
		if len(a) > 20 && a[:20] == "--web.listen-address" {
			return true
		}
	}
	return false
}

// The stage's descriptors are whatever a hostile caller left there.
func TestStageByHandWithDescriptors(t *testing.T) {
	testenv.NeedRoot(t)
	dir := testenv.PublicDir(t)
	for name, text := range map[string]string{
		"empty": "", "no JSON": "landlockd", "nothing": "{}", "null": "null", "many": `{"listeners":1000000000}`,
		"negative": `{"listeners":-1,"failure":{"reason":"x"}}`, "wrong socket": `{"listeners":1,"failure":{"reason":"x"}}`,
		"no source": `{"source":{"Info":{"source":"x"}}}`, "strange capability": `{"keep":[9999],"failure":{"reason":"x"},"notify":true}`,
		"negative capability": `{"keep":[-1],"failure":{"reason":"x"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(write(t, filepath.Join(dir, "handoff"), text, 0o600))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, more := range [][]*os.File{nil, {f, f, f}} {
				p := runWith(t, func(c *exec.Cmd) {
					c.Env = append(c.Env, "LANDLOCKD_STAGE=3")
					c.ExtraFiles = append([]*os.File{f}, more...)
				}, "--confine=best-effort")
				if code := p.wait(t); code != exitUsage && code != exitFailure {
					t.Errorf("exit code %d", code)
				}
				checkRefusal(t, p, p.wait(t))
			}
		})
	}
}

// The version is in the form that all of Prometheus' programs print it in, and in a metric.
func TestVersion(t *testing.T) {
	testenv.NeedRoot(t)
	p := run(t, "--version")
	p.wait(t)
	want := regexp.MustCompile(`^landlockd, version dev \(branch: .*, revision: (\S+)\)
  build user: .*
  build date: .*
  go version: +(go\S+)
  platform: +linux/(\S+)
  tags: +(\S+)
$`).FindStringSubmatch(p.stdout.String())
	if want == nil {
		t.Fatalf("%s", &p.stdout)
	}
	page := run(t, "once")
	page.wait(t)
	series := fmt.Sprintf(`landlockd_build_info{branch="",goarch=%q,goos="linux",goversion=%q,`+
		`revision=%q,tags=%q,version="dev"} 1`, want[3], want[2], want[1], want[4])
	if !strings.Contains(page.stdout.String(), series) {
		t.Errorf("no %s", series)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"help"}, {"once", "--help"}, {"--version"}, {"-V"}} {
		p := run(t, args...)
		if code := p.wait(t); code != 0 || p.stderr.String() != "" || len(p.stdout.String()) < 20 {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", args, code, &p.stdout, &p.stderr)
		}
	}
}
