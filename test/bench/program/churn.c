// SPDX-License-Identifier: Apache-2.0

// churn RATE keeps twice RATE processes, and each second ends RATE of them and makes as many,
// evenly. It writes "ready" when the first RATE are there, and when its standard input ends,
// how many it has made. Nothing of it is left then, however it ends.
//
// Every second process is in a domain of its own, and every fourth executes this program
// again, as "churn".
#include <errno.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

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

static void rest(void)
{
	for (;;)
		pause();
}

static pid_t make(long number)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGINT, SIG_DFL);
	if (number % 2)
		enter();
	if (number % 4 / 2) {
		execl("/proc/self/exe", "churn", "rest", (char *)0);
		die("exec");
	}
	rest();
	return 0;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, 0, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
}

int main(int argc, char **argv)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	struct timespec next;
	long rate, kept, made = 0;
	pid_t *pids;

	if (argc == 2 && !strcmp(argv[1], "rest"))
		rest(); /* it ends with its parent as before: execve(2) keeps that */
	rate = argc == 2 ? atol(argv[1]) : 0;
	if (rate < 1 || rate > 10000) {
		fprintf(stderr, "usage: churn RATE\n");
		return 2;
	}
	kept = 2 * rate;
	pids = calloc(kept, sizeof(*pids));
	if (!pids)
		die("calloc");
	signal(SIGINT, SIG_IGN); /* of a terminal: whoever started this one closes its input then */
	clock_gettime(CLOCK_MONOTONIC, &next);
	while (poll(&input, 1, 0) == 0) {
		pid_t *slot = &pids[made % kept];

		if (*slot)
			end(*slot);
		*slot = make(made++);
		if (made == rate) {
			printf("ready\n");
			fflush(stdout);
		}
		next.tv_nsec += SECOND / rate;
		if (next.tv_nsec >= SECOND) {
			next.tv_nsec -= SECOND;
			next.tv_sec++;
		}
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, 0) == EINTR)
			;
	}
	for (long i = 0; i < kept; i++)
		if (pids[i])
			end(pids[i]);
	printf("%ld\n", made);
	return 0;
}
