// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void leave_coordinator(void)
{
	close(FD_GO_END);
	close(FD_LIFE_END);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
}

void open_at(int fd, const char *path)
{
	int dir = open(path, O_PATH | O_DIRECTORY);

	if (dir < 0 || dup2(dir, fd) < 0) {
		perror(path);
		_exit(1);
	}
	close(dir);
}

pid_t sys_gettid(void)
{
	return syscall(SYS_gettid);
}

void sys_exit_thread(void)
{
	for (;;)
		syscall(SYS_exit, 0);
}

pid_t sys_clone(unsigned long flags)
{
	// All other arguments are 0, so their order, which differs between
	// architectures, does not matter.
	return syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

void sys_exec(const char *name, char *const argv[])
{
	static char *const envp[] = {NULL};

	// Relative to a descriptor: the folder's parents may be closed to the
	// user that this process has become.
	syscall(SYS_execveat, FD_BIN, name, argv, envp, 0);
}

uint64_t boottime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void sleep_us(unsigned us)
{
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};

	nanosleep(&t, NULL);
}

void wait_hangup(int fd)
{
	struct pollfd p = {.fd = fd};

	while (poll(&p, 1, -1) <= 0)
		;
}

int hung_up(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) > 0;
}

int futex_wait(uint32_t *word, uint32_t val)
{
	struct timespec minute = {.tv_sec = 60};

	// Not FUTEX_PRIVATE: some words are shared between processes.
	return syscall(SYS_futex, word, FUTEX_WAIT, val, &minute, NULL, 0) == 0 || errno != ETIMEDOUT;
}

void futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 0x7fffffff, NULL, NULL, 0);
}

// task_stat reads /proc/[tgid]/task/[tid]/stat and returns what is behind the name,
// or NULL if there is no such task.
static const char *task_stat(pid_t tgid, pid_t tid, char *buf, size_t size)
{
	char path[64], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", tgid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	buf[n] = 0;
	// The name in brackets may itself hold brackets and blanks.
	end = strrchr(buf, ')');
	return end && end[1] ? end + 2 : NULL;
}

char task_state(pid_t tgid, pid_t tid)
{
	char buf[512];
	const char *stat = task_stat(tgid, tid, buf, sizeof(buf));

	return stat ? *stat : 0;
}

int task_await_end(pid_t tgid, pid_t tid)
{
	char c;

	if (tgid != tid) {
		while (!syscall(SYS_tgkill, tgid, tid, 0) || errno != ESRCH)
			sleep_us(50);
		return 1;
	}
	// A leader stays visible, as a zombie.
	while ((c = task_state(tgid, tid)) && c != 'Z' && c != 'X')
		sleep_us(50);
	return c != 0;
}

int task_is_worker(pid_t tgid, pid_t tid)
{
	const unsigned io_worker = 0x10; // PF_IO_WORKER
	const char *stat;
	unsigned flags;
	char buf[512];

	stat = task_stat(tgid, tid, buf, sizeof(buf));
	return stat && sscanf(stat, "%*c %*d %*d %*d %*d %*d %u", &flags) == 1 && flags & io_worker;
}
