// SPDX-License-Identifier: Apache-2.0

package confine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// leaveInherited, with newKeyring and emptyStdin, takes from the calling thread what
// execve(2) hands on beside descriptors, groups and capabilities, and what a process without
// any privilege could still use of whoever started it:
//
//   - the session keyring: it holds keys of root's login or of the service manager, and
//     whoever possesses a keyring may read the keys in it, whatever user he is;
//   - standard input: a terminal, or a file of root's that is open for reading;
//   - interval timers: their signals would end the program that has set none;
//   - the personality: a parent may have switched address space randomisation off;
//   - the umask, and that a crash may write memory to a file.
//
// What stays is the operator's word on how much this process may use: other limits,
// niceness, CPU affinity, memory policy, the OOM score, cgroups and namespaces. Of
// descriptors see keepFiles. Timers of timer_create(2), and keyrings of the thread and of
// the process, end with execve(2).
func leaveInherited() error {
	for _, timer := range []unix.ItimerWhich{unix.ItimerReal, unix.ItimerVirtual, unix.ItimerProf} {
		if _, err := unix.Setitimer(timer, unix.Itimerval{}); err != nil {
			return fmt.Errorf("stop an inherited timer: setitimer(2): %w", err)
		}
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_PERSONALITY, 0, 0, 0); errno != 0 {
		return fmt.Errorf("leave the inherited personality: personality(2): %w", errno)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: setrlimit(2): %w", err)
	}
	unix.Umask(0o077)
	return nil
}

// emptyStdin puts a pipe that has ended in the place of standard input. It needs no file,
// as /dev/null would.
func emptyStdin() error {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("leave the inherited standard input: pipe2(2): %w", err)
	}
	unix.Close(ends[1])
	if ends[0] == 0 { // there was none
		_, err := unix.FcntlInt(0, unix.F_SETFD, 0)
		return err
	}
	defer unix.Close(ends[0])
	if err := unix.Dup3(ends[0], 0, 0); err != nil {
		return fmt.Errorf("leave the inherited standard input: dup3(2): %w", err)
	}
	return nil
}
