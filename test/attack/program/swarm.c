/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storm of processes that end, no two of them alike: of many cgroups, programs and names,
 * some in a domain of one right or another, as a user can make them to whom a cgroup has been
 * delegated, in which this must have been started.
 *
 *   swarm N CGROUPS PROGRAMS CGROUP DIR   N processes, or as many as can be in a time ("60s");
 *                                         DIR is where it may make programs
 *
 * It prints "ready" and a line end, begins, and says in the end how many processes, itself
 * left out, ended outside of a domain and in one, and how many programs took the place of
 * another one, by what that one was.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_CREATE_RULESET 444
#define NR_RESTRICT_SELF 446
#define WORKERS 8

static struct {
	unsigned long next, runs[2], launches[2];
} *all;

static unsigned long total, cgroups, programs;
static const char *cgroup, *dir;

static void die(const char *what)
{
	perror(what);
	_exit(3);
}

static void add(unsigned long *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

/* Enters a domain that handles one right; none is granted. */
static int enter(unsigned right)
{
	uint64_t fs = 1ull << (6 + right % 7); /* to make files of one kind */
	int fd = syscall(NR_CREATE_RULESET, &fs, sizeof(fs), 0);

	if (fd < 0) /* a kernel without Landlock */
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(NR_RESTRICT_SELF, fd, 0))
		die("landlock");
	close(fd);
	return 1;
}

static void move_to(unsigned long nth)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/g%lu/cgroup.procs", cgroup, nth);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(path);
	close(fd);
}

static void live(unsigned long nth)
{
	char text[4200];
	int in = 0;

	if (cgroups)
		move_to(nth * 7919 % cgroups);
	snprintf(text, sizeof(text), "n%lx", nth * 2654435761u % 5000);
	prctl(PR_SET_NAME, text);
	if (nth % 3 == 0)
		in = enter(nth / 3);
	if (nth % 4 == 0) {
		snprintf(text, sizeof(text), "%s/x%lu", dir, nth * 6007 % programs);
		add(&all->launches[in]);
		add(&all->runs[in]);
		execl(text, text, "end", (char *)0);
		die(text);
	}
	add(&all->runs[in]);
	_exit(0);
}

static void work(void)
{
	for (;;) {
		unsigned long nth = __atomic_fetch_add(&all->next, 1, __ATOMIC_RELAXED);
		int status;
		pid_t pid;

		if (nth >= total)
			break;
		pid = vfork(); /* there are twice as many as of fork() */
		if (pid < 0)
			die("fork");
		if (!pid)
			live(nth);
		if (waitpid(pid, &status, 0) != pid || status) {
			fprintf(stderr, "a process ended with status %d\n", status);
			_exit(3);
		}
	}
	add(&all->runs[0]);
	_exit(0);
}

static void make(void)
{
	static char bytes[1 << 20];
	char first[4200], name[4200];
	int from, to;
	ssize_t n;

	for (unsigned long i = 0; i < cgroups; i++) {
		snprintf(name, sizeof(name), "%s/g%lu", cgroup, i);
		if (mkdir(name, 0755))
			die(name);
	}
	snprintf(first, sizeof(first), "%s/x0", dir);
	from = open("/proc/self/exe", O_RDONLY);
	to = open(first, O_WRONLY | O_CREAT, 0755);
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, n) != n)
			die(first);
	close(from);
	close(to);
	for (unsigned long i = 1; i < programs; i++) {
		snprintf(name, sizeof(name), "%s/x%lu", dir, i);
		if (link(first, name))
			die(name);
	}
}

int main(int argc, char **argv)
{
	int failed = 0, status, seconds = 0;
	char *unit;

	if (argc == 2)
		return 0; /* the program that is executed */
	if (argc != 6)
		return 2;
	total = strtoul(argv[1], &unit, 10);
	if (*unit == 's') {
		seconds = total;
		total = 1ul << 62;
	}
	cgroups = strtoul(argv[2], NULL, 10);
	programs = strtoul(argv[3], NULL, 10);
	cgroup = argv[4];
	dir = argv[5];
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		die("mmap");
	make();
	printf("ready\n");
	fflush(stdout);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work();
		}
	}
	if (seconds) {
		sleep(seconds);
		__atomic_store_n(&all->next, total, __ATOMIC_RELAXED);
	}
	while (wait(&status) > 0)
		failed |= status;
	printf("%lu %lu %lu %lu\n", all->runs[0], all->runs[1], all->launches[0], all->launches[1]);
	return failed ? 3 : 0;
}
