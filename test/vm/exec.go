// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// RunLogged runs a program in the C locale. All that it says goes to a log, and the end
// of it is in the error, which wraps that of [exec.Cmd.Run].
func RunLogged(cmd *exec.Cmd, log io.Writer) error {
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	var said strings.Builder
	both := io.MultiWriter(&said, log)
	cmd.Stdout, cmd.Stderr = both, both
	err := cmd.Run()
	if err == nil {
		return nil
	}
	text := said.String()
	if len(text) > 4000 {
		text = "..." + text[len(text)-4000:]
	}
	return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
}
