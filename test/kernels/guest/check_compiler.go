// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"strings"

	"github.com/landlockd/landlockd/taskiter"
)

// checkNoCompiler is for a kernel that was built without its compiler of BPF programs: the source
// must say that this is why it cannot work.
func checkNoCompiler(t *T) {
	// The file is there if, and only if, the compiler is.
	const setting = "/proc/sys/net/core/bpf_jit_enable"
	if _, err := os.Stat(setting); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("%s is there, or hidden: %v", setting, err)
	}
	e := refused(t, "without a compiler", taskiter.Options{})
	t.Fact("error", e.Error())
	if e.Reason != taskiter.NoIterator || !strings.Contains(e.Hint, "CONFIG_BPF_JIT") {
		t.Errorf("taskiter.Open: %s; want reason %q and a hint at CONFIG_BPF_JIT", explain(e), taskiter.NoIterator)
	}
}
