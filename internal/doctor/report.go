// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/taskiter"
)

// Report writes what a developer needs to know of a kernel that is not among those
// tested; version is landlockd's. There are no names and no paths of this host in it.
func Report(w io.Writer, o Options, version string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", version)
	for _, file := range []string{"lsm", "lockdown"} {
		text, err := os.ReadFile(o.SysFS + "/kernel/security/" + file)
		if err != nil {
			text = []byte("not readable (is securityfs mounted?)")
		}
		fmt.Fprintf(&b, "%s: %s\n", file, untrusted.OneLine(string(text)))
	}
	for _, file := range []string{
		"kernel/unprivileged_bpf_disabled", "kernel/yama/ptrace_scope", "net/core/bpf_jit_enable",
	} {
		if text, err := os.ReadFile(o.ProcFS + "/sys/" + file); err == nil {
			fmt.Fprintf(&b, "%s: %s\n", file, untrusted.OneLine(string(text)))
		}
	}
	lines, err := taskiter.DescribeTypes()
	if err != nil {
		lines = []string{untrusted.OneLine(err.Error())}
	}
	fmt.Fprintf(&b, "%s\n\nPlease send this with what you expected to "+
		"https://github.com/landlockd/landlockd/issues\n", strings.Join(lines, "\n"))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
