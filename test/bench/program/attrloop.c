// SPDX-License-Identifier: Apache-2.0

// attrloop FILE reads FILE, below /proc/PID, of every process whenever its standard input has a
// byte more, by the calls that landlockd's procattr makes for a process that has not changed, and
// prints the processor time of that in nanoseconds and the number of processes: what these calls
// cost, whoever makes them.
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* As the kernel returns it. */
struct entry {
	unsigned long long ino, off;
	unsigned short size;
	unsigned char type;
	char name[];
};

static char names[64 << 10], content[4096];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A process that has gone meanwhile has no such file. */
static void read_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return;
	if (read(fd, content, sizeof(content)) < 0)
		content[0] = 0;
	close(fd);
}

static int read_process(int proc, const char *pid, const char *file)
{
	int dir = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat owner;

	if (dir < 0)
		return 0;
	if (fstat(dir, &owner))
		die("fstat");
	read_file(dir, "stat");
	read_file(dir, file);
	close(dir);
	return 1;
}

static int read_all(int proc, const char *file)
{
	int processes = 0;
	long n;

	if (lseek(proc, 0, SEEK_SET))
		die("lseek");
	while ((n = syscall(SYS_getdents64, proc, names, sizeof(names))) > 0)
		for (long at = 0; at < n; at += ((struct entry *)(names + at))->size) {
			struct entry *e = (struct entry *)(names + at);

			if (isdigit((unsigned char)e->name[0]))
				processes += read_process(proc, e->name, file);
		}
	if (n < 0)
		die("getdents64");
	return processes;
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char c;

	if (argc != 2 || proc < 0) {
		fprintf(stderr, "usage: attrloop FILE\n");
		return 2;
	}
	while (read(0, &c, 1) > 0) {
		long long began = now();
		int processes = read_all(proc, argv[1]);

		printf("%lld %d\n", now() - began, processes);
		fflush(stdout);
	}
	return 0;
}
