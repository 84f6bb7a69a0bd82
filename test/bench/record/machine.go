// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// This returns what machine this is, and how busy at the end of what was measured.
func This() (Machine, error) {
	m := Machine{Date: time.Now().UTC().Format(time.DateOnly), CPUs: runtime.NumCPU(), Go: runtime.Version()}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return m, fmt.Errorf("uname(2): %w", err)
	}
	m.Kernel = unix.ByteSliceToString(name.Release[:])
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return m, fmt.Errorf("sysinfo(2): %w", err)
	}
	m.MemoryGB = int((uint64(info.Totalram)*uint64(info.Unit) + 1<<29) >> 30) //nolint:unconvert // 32 bits on some architectures
	m.Load = float64(info.Loads[0]>>8) / 256
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return m, err
	}
	for line := range strings.Lines(string(b)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m, nil
}
