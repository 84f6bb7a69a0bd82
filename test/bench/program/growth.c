// SPDX-License-Identifier: Apache-2.0

// growth N KIND CGROUPS... makes N processes that sleep, writes "ready" and waits until its
// standard input ends. Nothing of it is left then, however it ends, but for cgroups if it is
// killed itself.
//
// KIND: cgroups, each process in a cgroup of its own in each of the directories CGROUPS;
// deep, each process in as many domains of its own, nested, as the kernel allows.
#define _GNU_SOURCE
#include <limits.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LAYERS = 16 };

static pid_t first;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void enter(void)
{
	struct landlock_ruleset_attr handled = { .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE };
	int ruleset = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled.handled_access_fs), 0);

	if (ruleset < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0))
		die("enter a domain");
	close(ruleset);
}

static void cgroup(char *path, const char *in, int number)
{
	snprintf(path, PATH_MAX, "%s/growth-%d-%d.service", in, first, number);
}

static void make_cgroups(char **in, int number)
{
	char path[PATH_MAX];

	for (; *in; in++) {
		cgroup(path, *in, number);
		if (mkdir(path, 0755))
			die(path);
	}
}

static void join_cgroups(char **in, int number)
{
	char path[PATH_MAX], procs[PATH_MAX + 16];
	FILE *f;

	for (; *in; in++) {
		cgroup(path, *in, number);
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
		f = fopen(procs, "w");
		if (!f || fputs("0", f) < 0 || fclose(f))
			die(procs);
	}
}

static void remove_cgroups(char **in, int number)
{
	char path[PATH_MAX];

	for (; *in; in++) {
		cgroup(path, *in, number);
		if (rmdir(path))
			perror(path);
	}
}

int main(int argc, char **argv)
{
	int n = argc >= 3 ? atoi(argv[1]) : 0, made = 0;
	int deep = argc >= 3 && !strcmp(argv[2], "deep");
	char **cgroups = argv + 3;
	atomic_int *started;
	char c;

	if (n <= 0 || (!deep && strcmp(argv[2], "cgroups"))) {
		fprintf(stderr, "usage: growth N cgroups|deep CGROUPS...\n");
		return 2;
	}
	first = getpid();
	signal(SIGINT, SIG_IGN); /* of a terminal: whoever started this one closes its input then */
	signal(SIGTERM, SIG_IGN);
	started = mmap(0, sizeof(*started), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t *pids = calloc(n, sizeof(*pids));
	if (started == MAP_FAILED || !pids)
		die("memory");
	for (; made < n; made++) {
		if (!deep)
			make_cgroups(cgroups, made);
		pids[made] = fork();
		if (pids[made] < 0) {
			perror("fork");
			break;
		}
		if (pids[made] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != first)
				_exit(1);
			if (deep)
				for (int i = 0; i < LAYERS; i++)
					enter();
			else
				join_cgroups(cgroups, made);
			atomic_fetch_add(started, 1);
			for (;;)
				pause();
		}
	}
	while (made == n && atomic_load(started) < n && waitpid(-1, 0, WNOHANG) == 0)
		usleep(10000);
	if (atomic_load(started) == n)
		printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	for (int i = 0; i < made; i++)
		kill(pids[i], SIGKILL);
	while (wait(0) > 0)
		;
	for (int i = 0; i < made && !deep; i++)
		remove_cgroups(cgroups, i);
	return 0;
}
