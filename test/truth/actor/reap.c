// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "reap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"

// A thread of CLONE_PARENT children and the like is waited for as well.
#ifndef __WALL
#define __WALL 0x40000000
#endif

static pid_t parent_of(pid_t pid)
{
	char path[32], buf[512], *end;
	int ppid = 0, fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	buf[n] = 0;
	end = strrchr(buf, ')');
	if (!end || sscanf(end + 1, " %*c %d", &ppid) != 1)
		return 0;
	return ppid;
}

// kill_children is safe from reused pids: a child of the caller keeps its pid
// until the caller reaps it.
static void kill_children(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;

	if (!proc)
		return;
	while ((e = readdir(proc))) {
		pid_t pid = atoi(e->d_name);

		if (pid > 0 && parent_of(pid) == getpid())
			kill(pid, SIGKILL);
	}
	closedir(proc);
}

void reap_check(int pid, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		fail("process %d was killed by signal %d", pid, WTERMSIG(status));
	else if (WIFEXITED(status) && WEXITSTATUS(status))
		fail("process %d ended with status %d", pid, WEXITSTATUS(status));
}

unsigned long reap_all(void)
{
	unsigned long n = 0;
	int status;
	pid_t pid;

	// Whoever loses its parent becomes a child of the caller, so each round
	// reaches one generation more.
	for (;;) {
		kill_children();
		while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
			reap_check(pid, status);
			n++;
		}
		if (pid < 0 && errno == ECHILD)
			return n;
		sleep_us(500);
	}
}
