// SPDX-License-Identifier: Apache-2.0

// What every part of the actor needs of the system: the descriptors that
// survive clone and exec, raw system calls whose wrappers would hide what
// matters, and the one way to give up.
#ifndef SYS_H
#define SYS_H

#include <stdint.h>
#include <sys/types.h>

// Descriptors with fixed numbers, so that an exec'd image finds them.
enum {
	FD_TABLE = 50, // the shared table, mapped by every process
	FD_BIN,	       // O_PATH: the folder of the binary and its links
	FD_SITE,       // O_PATH: the site
	FD_TOP,	       // O_PATH: the coordinator's root directory
	FD_GO,	       // hangs up when everybody is to report
	FD_LIFE,       // hangs up when the coordinator is gone or has ended
	FD_LIVES,      // churn: the file that the harness reads; runs: the shared ends
	FD_GO_END,     // the ends that only the coordinator holds
	FD_LIFE_END,
	FD_GROUPS = 64,	    // runs: cgroup.procs of the groups, of v2 and then of v1
	FD_GROUP_DIRS = 80, // runs: the groups of v2
};

// open_at opens a directory (O_PATH) under a number.
void open_at(int fd, const char *path);

// leave_coordinator closes, in a new child of the coordinator, what is the
// coordinator's alone.
void leave_coordinator(void);

// fail records the text where the coordinator finds it; die also ends the
// process. The coordinator must not die once it has children: it has to reap.
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

// The raw forms: glibc caches or hides what is wanted (and its setresuid
// changes every thread).
pid_t sys_gettid(void);
void sys_exit_thread(void) __attribute__((noreturn));
pid_t sys_clone(unsigned long flags);
// sys_exec executes a link of the binary by name: comm becomes its basename.
void sys_exec(const char *name, char *const argv[]);

uint64_t boottime_ns(void);
void sleep_us(unsigned us);

// wait_hangup sleeps until the write end of a pipe is closed.
void wait_hangup(int fd);
int hung_up(int fd);

// futex_wait returns 0 after a minute without a wake-up: a sign of a bug.
int futex_wait(uint32_t *word, uint32_t val);
void futex_wake(uint32_t *word);

// task_state returns the letter of /proc/[tgid]/task/[tid]/stat, 0 if there is
// no such task.
char task_state(pid_t tgid, pid_t tid);
// task_await_end returns once the kernel agrees that a thread has ended. It reports
// whether that can be seen: of a leader it cannot where /proc is closed.
int task_await_end(pid_t tgid, pid_t tid);
// task_is_worker reports whether there is such a task and the kernel made it for
// io_uring.
int task_is_worker(pid_t tgid, pid_t tid);

#endif
