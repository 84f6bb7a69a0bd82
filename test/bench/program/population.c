// SPDX-License-Identifier: Apache-2.0

// population N KIND CGROUPS... makes N tasks that sleep, in 100 workloads, writes "ready" and
// waits until its standard input ends. Nothing of it is left then, however it ends, but for
// cgroups and kernel.pid_max if it is killed itself.
//
// KIND: unsandboxed; sandboxed, each workload in a domain of its own that grants nothing; mix,
// half of the processes of each workload in up to five domains with two rules each; threads, the
// same with ten threads for each process. In each directory CGROUPS, of a hierarchy of cgroups, each workload gets one
// that is called as a unit.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <pthread.h>
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

enum { WORKLOADS = 100, GROUPS = 5, THREADS = 10, NEEDED_PIDS = 20000, SPARE_PIDS = 200000 };

static const char *pid_max = "/proc/sys/kernel/pid_max";
static atomic_int *started; /* of all tasks */
static pid_t first; /* process */
static pid_t leaders[WORKLOADS];
static char **cgroups; /* ended by 0 */
static long pid_max_before; /* 0: it was not changed */

static void end_all(void);

static void die(const char *what)
{
	perror(what);
	if (getpid() == first)
		end_all();
	exit(1);
}

static void write_number(const char *path, long n)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "%ld", n) < 0 || fclose(f))
		die(path);
}

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n;

	if (!f || fscanf(f, "%ld", &n) != 1)
		die(path);
	fclose(f);
	return n;
}

/* With rules, all may be read below "/", and all be done below "/tmp". */
static void enter(int rules)
{
	const __u64 reads = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
			    LANDLOCK_ACCESS_FS_READ_DIR;
	struct landlock_ruleset_attr handled = { .handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1 };
	const struct { const char *path; __u64 allowed; } granted[] = {
		{ "/", reads }, { "/tmp", handled.handled_access_fs },
	};
	int ruleset = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled.handled_access_fs), 0);

	if (ruleset < 0)
		die("landlock_create_ruleset");
	for (int i = 0; rules && i < 2; i++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = granted[i].allowed,
			.parent_fd = open(granted[i].path, O_PATH | O_CLOEXEC),
		};

		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
			die("landlock_add_rule");
		close(rule.parent_fd);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, ruleset, 0))
		die("landlock_restrict_self");
	close(ruleset);
}

static void *rest(void *unused)
{
	atomic_fetch_add(started, 1);
	for (;;)
		pause();
	return unused;
}

static void sleep_in(int threads)
{
	pthread_attr_t small;
	pthread_t thread;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
	for (int i = 1; i < threads; i++)
		if ((errno = pthread_create(&thread, &small, rest, 0)))
			die("pthread_create");
	rest(0);
}

/* Returns 0 in the child, which ends with its parent. */
static pid_t make(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

/* Makes as many processes as are asked for, with this one, and does not return. */
static void family(int processes, int threads, int own_threads)
{
	for (int i = 1; i < processes; i++)
		if (make() == 0)
			sleep_in(threads);
	sleep_in(own_threads);
}

static void workload(int number, int tasks, const char *kind)
{
	int threads = strcmp(kind, "threads") ? 1 : THREADS;
	int processes = (tasks + threads - 1) / threads;
	int own_threads = tasks - (processes - 1) * threads;
	int sandboxed = (processes + number % 2) / 2;

	if (!strcmp(kind, "sandboxed"))
		enter(0);
	if (!strcmp(kind, "sandboxed") || !strcmp(kind, "unsandboxed"))
		family(processes, threads, own_threads);
	if (sandboxed == processes) {
		enter(1);
		family(processes, threads, own_threads);
	}
	for (int g = 0; g < GROUPS; g++) {
		int size = sandboxed / GROUPS + (g < sandboxed % GROUPS);

		if (size > 0 && make() == 0) {
			enter(1);
			family(size, threads, threads);
		}
	}
	family(processes - sandboxed, threads, own_threads);
}

static void cgroup(char *path, const char *in, int number)
{
	snprintf(path, PATH_MAX, "%s/bench-%d-%02d.service", in, first, number);
}

static void make_cgroups(int number)
{
	char path[PATH_MAX];

	for (char **in = cgroups; *in; in++) {
		cgroup(path, *in, number);
		if (mkdir(path, 0755))
			die(path);
	}
}

static void join_cgroups(int number)
{
	char path[PATH_MAX], procs[PATH_MAX + 16];

	for (char **in = cgroups; *in; in++) {
		cgroup(path, *in, number);
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
		write_number(procs, 0);
	}
}

static void remove_cgroups(int number)
{
	char path[PATH_MAX];

	for (char **in = cgroups; *in; in++) {
		cgroup(path, *in, number);
		if (rmdir(path) && errno != ENOENT)
			perror(path);
	}
}

/* Ends all processes but this one, and puts back what was changed. */
static void end_all(void)
{
	for (int w = 0; w < WORKLOADS; w++)
		if (leaders[w] > 0)
			kill(-leaders[w], SIGKILL);
	while (wait(0) > 0)
		;
	for (int w = 0; w < WORKLOADS; w++)
		remove_cgroups(w);
	if (pid_max_before) {
		long n = pid_max_before;

		pid_max_before = 0; /* it may die of this */
		write_number(pid_max, n);
	}
}

int main(int argc, char **argv)
{
	int n = argc >= 3 ? atoi(argv[1]) : 0;
	const char *kind = argv[2];
	long limit;
	char c;

	if (n <= 0) {
		fprintf(stderr, "usage: population N unsandboxed|sandboxed|mix|threads CGROUPS...\n");
		return 2;
	}
	first = getpid();
	cgroups = argv + 3;
	if (chdir("/")) /* as daemons do */
		die("chdir");
	/* Whoever loses its parent is this one's to wait for. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("prctl");
	signal(SIGINT, SIG_IGN); /* of a terminal: whoever started this one closes its input then */
	signal(SIGTERM, SIG_IGN);
	started = mmap(0, sizeof(*started), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (started == MAP_FAILED)
		die("mmap");
	limit = read_number(pid_max);
	if (limit < 2 * n + NEEDED_PIDS) {
		write_number(pid_max, n + SPARE_PIDS);
		pid_max_before = limit;
	}
	for (int w = 0; w < WORKLOADS; w++) {
		int tasks = n / WORKLOADS + (w < n % WORKLOADS);

		if (tasks == 0)
			continue;
		make_cgroups(w);
		leaders[w] = make();
		if (leaders[w] == 0) {
			setpgid(0, 0);
			join_cgroups(w);
			workload(w, tasks, kind);
		}
		setpgid(leaders[w], leaders[w]);
	}
	while (atomic_load(started) < n) {
		siginfo_t ended = { 0 };

		if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid) {
			fprintf(stderr, "a process ended: %d\n", ended.si_status);
			end_all();
			return 1;
		}
		usleep(10000);
	}
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	end_all();
	return 0;
}
