/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many of something, as a user without privilege can make it. It prints a line
 * "pid N" for each process, then "ready", and ends with its standard input.
 *
 *   crowd domains N LAYERS          processes, each in so many domains of its own
 *   crowd threads N LAYERS          threads of one process, each in so many domains
 *                                   of its own, beside the first, which is in none
 *   crowd roots N RULES LAYERS DIR  processes in one domain with so many rules on
 *                                   ports, in each of its layers; each goes down
 *                                   from root directory to root directory, in a
 *                                   directory of its own
 *   crowd files N RULES LAYERS DIR  processes in one domain with so many rules on
 *                                   files, and one on DIR, in each of its layers;
 *                                   the root directory of each is 50 below DIR
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NR_CREATE_RULESET 444
#define NR_ADD_RULE 445
#define NR_RESTRICT_SELF 446
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2
#define READ_FILE (1 << 2)

static void die(const char *what)
{
	perror(what);
	_exit(3);
}

static void restrict_self(int ruleset, unsigned layers)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	while (layers--)
		if (syscall(NR_RESTRICT_SELF, ruleset, 0))
			die("landlock_restrict_self");
}

/* A ruleset that handles all rights to files and grants nothing. */
static int files(void)
{
	uint64_t fs = 0x1fff;
	int fd = syscall(NR_CREATE_RULESET, &fs, sizeof(fs), 0);

	if (fd < 0)
		die("landlock_create_ruleset");
	return fd;
}

/* A ruleset that grants connections to so many ports. */
static int ports(unsigned n)
{
	struct { uint64_t fs, net; } handled = { 0, 3 };
	int fd = syscall(NR_CREATE_RULESET, &handled, sizeof(handled), 0);

	if (fd < 0)
		die("landlock_create_ruleset");
	for (unsigned port = 0; port < n; port++) {
		struct { uint64_t allowed, port; } rule = { 2, port };

		if (syscall(NR_ADD_RULE, fd, RULE_NET_PORT, &rule, 0))
			die("landlock_add_rule");
	}
	return fd;
}

static void allow(int ruleset, const char *path)
{
	struct { uint64_t allowed; int32_t fd; } __attribute__((packed)) rule = { READ_FILE, open(path, O_PATH) };

	if (rule.fd < 0 || syscall(NR_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0))
		die(path);
	close(rule.fd);
}

/* A ruleset that grants to read the working directory, and so many files in it. */
static int paths(unsigned n)
{
	char name[16];
	int fd = files();

	allow(fd, ".");
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		close(open(name, O_CREAT | O_WRONLY, 0644));
		allow(fd, name);
	}
	return fd;
}

/* Becomes root in a user namespace of its own: chroot(2) is allowed there. */
static void own_namespace(void)
{
	char map[32];
	int n = snprintf(map, sizeof(map), "0 %d 1", getuid()), fd;

	if (unshare(CLONE_NEWUSER))
		die("user namespace");
	fd = open("/proc/self/uid_map", O_WRONLY);
	if (fd < 0 || write(fd, map, n) != n)
		die("uid_map");
	close(fd);
}

static void go_down(unsigned nth)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", nth);
	if (mkdir(name, 0755) || chdir(name))
		_exit(3);
	for (;;) {
		if (chroot(".") || mkdir("x", 0755) || chdir("x"))
			_exit(3);
		usleep(300000 + nth * 100);
	}
}

#define DEPTH 50

/* Goes to a directory so far below the working directory, or makes it. */
static void descend(unsigned nth, int make)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", nth);
	for (int i = 0; i < DEPTH; i++)
		if ((make && mkdir(name, 0755)) || chdir(name))
			die(name);
}

static void stay_down(unsigned nth)
{
	descend(nth, 0);
	if (chroot("."))
		_exit(3);
	for (;;)
		pause();
}

static unsigned thread_layers, threads_inside;

static void *one_thread(void *ruleset)
{
	restrict_self((long)ruleset, thread_layers);
	__atomic_fetch_add(&threads_inside, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return NULL;
}

static void until_eof(void)
{
	char c;

	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
}

static int threads(unsigned n, unsigned layers)
{
	pthread_attr_t small;
	pthread_t thread;
	long ruleset = files();

	thread_layers = layers;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 1 << 16);
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&thread, &small, one_thread, (void *)ruleset))
			die("pthread_create");
	while (__atomic_load_n(&threads_inside, __ATOMIC_SEQ_CST) < n)
		usleep(1000);
	printf("pid %d\n", getpid());
	until_eof();
	return 0;
}

int main(int argc, char **argv)
{
	int down = argc == 6 && !strcmp(argv[1], "files");
	int roots = argc == 6 && !strcmp(argv[1], "roots"), done[2], ruleset;
	unsigned n, layers;
	char c;

	if (argc == 4 && !strcmp(argv[1], "threads"))
		return threads(atoi(argv[2]), atoi(argv[3]));
	if (!roots && !down && (argc != 4 || strcmp(argv[1], "domains")))
		return 2;
	n = atoi(argv[2]);
	if (roots || down) {
		own_namespace();
		if (chdir(argv[5]))
			die(argv[5]);
		ruleset = atoi(argv[3]);
		for (unsigned i = 0; down && i < n; i++) {
			descend(i, 1);
			if (chdir(argv[5]))
				die(argv[5]);
		}
		restrict_self(roots ? ports(ruleset) : paths(ruleset), atoi(argv[4]));
		layers = 0;
	} else {
		layers = atoi(argv[3]);
		ruleset = files();
	}
	if (pipe(done))
		die("pipe");
	for (unsigned i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid) {
			printf("pid %d\n", pid);
			continue;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (layers)
			restrict_self(ruleset, layers);
		if (write(done[1], "", 1) != 1)
			_exit(3);
		for (int fd = 0; fd < 8; fd++)
			close(fd);
		if (roots)
			go_down(i);
		if (down)
			stay_down(i);
		for (;;)
			pause();
	}
	close(done[1]);
	for (unsigned i = 0; i < n; i++)
		if (read(done[0], &c, 1) != 1)
			die("child");
	until_eof();
	return 0;
}
