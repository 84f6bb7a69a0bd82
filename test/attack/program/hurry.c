/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Much of something in a short time, as a user without privilege can do it. It prints
 * "ready", begins, and ends with its standard input, or after a minute and a half: nothing
 * of it outlives a test that was killed.
 *
 *   hurry renames N      processes in a domain each take another name twice a millisecond,
 *                        of bytes without meaning; it prints how often at its end
 *   hurry lives N        so many processes, 32 at a time, each make a domain and end; it ends
 *                        by itself behind them
 *   hurry forks N        so many processes in one domain, each of which goes on in a child
 *                        without a pause, so that none is there for long
 *   hurry names N DIR    so many processes of so many programs in DIR
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_CREATE_RULESET 444
#define NR_RESTRICT_SELF 446
#define SECONDS 90

static volatile struct {
	int over;
	unsigned long done;
} *all;

static void die(const char *what)
{
	perror(what);
	_exit(3);
}

/* Enters a domain that handles all rights to files and grants nothing. */
static void enter(void)
{
	uint64_t fs = 0x1fff;
	int fd = syscall(NR_CREATE_RULESET, &fs, sizeof(fs), 0);

	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(NR_RESTRICT_SELF, fd, 0))
		die("landlock");
	close(fd);
}

static void take_names(unsigned nth)
{
	char name[16] = { 0 };
	uint32_t x = nth * 2654435761u + 1;

	while (!all->over) {
		for (int i = 0; i < 15; i++) {
			x = x * 1664525 + 1013904223;
			name[i] = (x >> 24) | 1; /* no byte 0 */
		}
		prctl(PR_SET_NAME, name);
		__atomic_fetch_add(&all->done, 1, __ATOMIC_RELAXED);
		usleep(500);
	}
}

static void go_on_in_children(void)
{
	while (!all->over) {
		pid_t pid = fork();

		if (pid > 0)
			_exit(0);
		if (pid < 0)
			usleep(1000); /* no PID is left */
	}
}

static void live(unsigned n)
{
	for (unsigned i = 0; i < n && !all->over; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			enter();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		__atomic_fetch_add(&all->done, 1, __ATOMIC_RELAXED);
	}
}

static void execute(const char *dir, unsigned nth, int ready)
{
	char first[4096], name[4096], fd[16];
	static char bytes[1 << 20];
	int from, to;
	ssize_t n;

	snprintf(first, sizeof(first), "%s/name-0", dir);
	snprintf(name, sizeof(name), "%s/name-%u", dir, nth);
	if (!nth) { /* a copy of its own, which it may link */
		from = open("/proc/self/exe", O_RDONLY);
		to = open(first, O_WRONLY | O_CREAT, 0755);
		while ((n = read(from, bytes, sizeof(bytes))) > 0)
			if (write(to, bytes, n) != n)
				die(first);
		close(from);
		close(to);
	} else if (link(first, name)) {
		die(name);
	}
	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(fd, sizeof(fd), "%d", ready);
	execl(name, name, "stay", fd, (char *)0);
	die(name);
}

static void stay(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(3);
	for (int fd = 0; fd < 8; fd++)
		close(fd);
	alarm(SECONDS);
	for (;;)
		pause();
}

static void in_parallel(const char *what, unsigned n)
{
	const unsigned lines = 32;
	unsigned i;

	for (i = 0; i < (strcmp(what, "lives") ? n : lines); i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid)
			continue;
		close(0);
		close(1);
		if (!strcmp(what, "renames"))
			take_names(i);
		else if (!strcmp(what, "forks"))
			go_on_in_children();
		else
			live(n / lines);
		_exit(0);
	}
}

static void on_alarm(int unused)
{
	(void)unused;
	all->over = 1;
}

int main(int argc, char **argv)
{
	int ready[2];
	unsigned n;
	char c;

	if (argc == 3 && !strcmp(argv[1], "stay"))
		stay(atoi(argv[2]));
	if (argc < 3)
		return 2;
	n = atoi(argv[2]);
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED || pipe(ready) || prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("hurry");
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL); /* ends read(2) */
	alarm(SECONDS);
	if (argc == 4 && !strcmp(argv[1], "names")) {
		for (unsigned i = 0; i < n; i++)
			execute(argv[3], i, ready[1]);
		for (unsigned i = 0; i < n; i++)
			if (read(ready[0], &c, 1) != 1)
				die("child");
		printf("ready\n");
	} else {
		if (strcmp(argv[1], "lives"))
			enter();
		printf("ready\n");
		fflush(stdout);
		if (!strcmp(argv[1], "forks"))
			signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
		in_parallel(argv[1], n);
	}
	fflush(stdout);
	if (!strcmp(argv[1], "lives")) {
		while (wait(NULL) > 0)
			;
	} else {
		while (read(0, &c, 1) > 0)
			;
	}
	all->over = 1;
	if (!strcmp(argv[1], "renames"))
		while (wait(NULL) > 0)
			;
	printf("%lu\n", all->done);
	return 0;
}
