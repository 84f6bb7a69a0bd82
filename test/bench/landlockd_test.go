// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configuration is what landlockd is measured with: 20 rules, most about units as they are of
// most hosts, and 10 assets. exe is the population's program.
func configuration(exe string) string {
	var b strings.Builder
	b.WriteString(`assets:
  - {name: passwords, paths: [/etc/shadow, /etc/gshadow], access: [read]}
  - {name: keys, paths: ["/etc/ssh/*_key", /root/.ssh], access: [read]}
  - {name: programs, paths: [/usr], access: [write]}
  - {name: configuration, paths: [/etc], access: [write]}
  - {name: homes, paths: [/home, /root], access: [read, write]}
  - {name: logs, paths: [/var/log], access: [write]}
  - {name: runtime, unix: [/run/docker.sock, /run/containerd/containerd.sock]}
  - {name: ssh, tcp: [22], access: [connect]}
  - {name: web, tcp: [80, 443], access: [bind]}
  - {name: outside, signal: true, abstract_unix: true}
rules:
`)
	for i := range 12 {
		fmt.Fprintf(&b, "  - {name: unit-%d, match: {unit: [\"bench-*-%02d.service\"]}, expect: {restricts: [fs.write_file, \"fs.make_*\"]}}\n", i, 8*i)
	}
	for i := range 4 {
		fmt.Fprintf(&b, "  - {name: kept-%d, match: {unit: [\"bench-*-%d?.service\"]}, expect: {min_depth: 1, out_of_reach: [passwords, programs]}}\n", i, 2*i)
	}
	fmt.Fprintf(&b, "  - {name: program, match: {exe: [%s]}, min_processes: 1}\n", exe)
	b.WriteString(`  - {name: users, match: {uid: [1000-59999]}, expect: {restricts: ["net.*"]}}
  - {name: shells, match: {exe: [/usr/bin/bash, /usr/bin/dash]}, expect: {state: [unsandboxed]}}
  - {name: everything, match: {cgroup: ["/bench-*"]}, except: [{main: true}]}
`)
	return b.String()
}

// landlockd starts it with all that is on unless somebody switches it off.
func startLandlockd(b *testing.B, dir string, args ...string) *server {
	b.Helper()
	config := filepath.Join(dir, "landlockd.yml")
	if err := os.WriteFile(config, []byte(configuration(filepath.Join(dir, "population"))), 0o644); err != nil {
		b.Fatal(err)
	}
	args = append(args, "--config.file="+config, "--api.socket=", "--log.level=warn", "--web.listen-address=")
	return serve(b, filepath.Join(dir, "landlockd"), args...)
}
