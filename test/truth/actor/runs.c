// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "runs.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"
#include "rng.h"
#include "runclone.h"
#include "runlife.h"
#include "sys.h"
#include "table.h"

// How many begin at a time, and how many of a worker's quick lives there are at once.
#define AT_ONCE 8
#define QUICK_AT_ONCE 16

static void take_groups(uint32_t groups)
{
	for (uint32_t v = 0; v < 2; v++)
		for (uint32_t g = 0; g < groups; g++) {
			int dir = 3 + v * groups + g;
			int procs = openat(dir, "cgroup.procs", O_WRONLY);

			if (procs < 0)
				continue;
			if (dup2(procs, FD_GROUPS + MAX_GROUPS * v + g) < 0 ||
			    (!v && dup2(dir, FD_GROUP_DIRS + g) < 0))
				die("keep a cgroup: %m");
			close(procs);
		}
	for (uint32_t fd = 3; fd < 3 + 2 * groups; fd++)
		close(fd);
	ends->groups = groups;
}

// make_setuid copies this program as one that makes root of whoever executes it.
static void make_setuid(void)
{
	int from = open("/proc/self/exe", O_RDONLY), to;
	struct stat st;

	to = openat(FD_BIN, exe_names[EXE_SETUID], O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (from < 0 || to < 0 || fstat(from, &st) || sendfile(to, from, NULL, st.st_size) != st.st_size ||
	    fchmod(to, 04755))
		die("make %s: %m", exe_names[EXE_SETUID]);
	close(from);
	close(to);
}

// make_broken makes a program whose only segment is where none can be: the kernel has
// given up the old program when it notices.
static void make_broken(void)
{
	struct { Elf64_Ehdr head; Elf64_Phdr segment; } elf;
	int from = open("/proc/self/exe", O_RDONLY), to;

	to = openat(FD_BIN, exe_names[EXE_BROKEN], O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (from < 0 || to < 0 || read(from, &elf, sizeof(elf)) != sizeof(elf))
		die("make %s: %m", exe_names[EXE_BROKEN]);
	elf.head.e_type = ET_EXEC;
	elf.head.e_phoff = sizeof(elf.head);
	elf.head.e_phnum = 1;
	elf.segment = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = sizeof(elf), .p_memsz = sizeof(elf),
		.p_vaddr = 0x7ffffffffffff000, .p_align = 4096,
	};
	if (write(to, &elf, sizeof(elf)) != sizeof(elf))
		die("make %s: %m", exe_names[EXE_BROKEN]);
	close(from);
	close(to);
}

static struct life_of_run *begin(uint64_t *seed, int steps)
{
	uint64_t mine = rng_next(seed);
	struct life_of_run *l = life_prepare(NULL, mine, steps);

	l->group = rng_below(&l->rng, ends->groups);
	return l;
}

// start clones a child of the coordinator, and reports whether this is the child.
static int start(struct life_of_run *l)
{
	pid_t pid = sys_clone(0);

	if (pid < 0)
		fail("clone: %m");
	if (pid)
		return 0;
	leave_coordinator();
	// A setuid program opens these itself where they are closed, or does not start.
	if (open("/dev/null", O_RDWR) != STDIN_FILENO || dup(STDIN_FILENO) != STDOUT_FILENO)
		die("open /dev/null: %m");
	life_starts(l);
	run_move_to(l, l->group);
	return 1;
}

static void __attribute__((noreturn)) stay(void)
{
	for (;;)
		pause();
}

static void restrict_alone(struct life_of_run *l)
{
	struct run_thread t = {l->depth, l->handled};

	if (table->abi < 1)
		return;
	run_restrict(&t, ll_random(table->rights, &l->rng, 1));
	l->depth = t.depth;
	l->handled = t.handled;
}

static void __attribute__((noreturn)) end_alone(struct life_of_run *l)
{
	struct answer a = run_alone(l);

	end_of(l, END_RUN, &a, 1);
	_exit(0);
}

// inner_init is the first process of a PID namespace: its children end with it.
static void __attribute__((noreturn)) inner_init(struct life_of_run *l)
{
	int children = 1 + rng_below(&l->rng, 6), ready[2];
	char c;

	l->inner = 1;
	life_starts(l);
	if (pipe(ready))
		die("pipe: %m");
	for (int i = 0; i < children; i++) {
		struct life_of_run *child = life_prepare(l, rng_next(&l->rng), 0);
		struct answer a;
		pid_t pid = sys_clone(0);

		if (pid < 0)
			die("clone in a PID namespace: %m");
		if (pid)
			continue;
		life_starts(child);
		if (rng_below(&child->rng, 2))
			restrict_alone(child);
		a = run_alone(child);
		end_of(child, END_RUN, &a, 1);
		ends_count(RUN_killed_by_init);
		if (write(ready[1], "", 1) != 1)
			die("write to a pipe: %m");
		stay();
	}
	for (int i = 0; i < children; i++)
		if (read(ready[0], &c, 1) != 1)
			die("read from a pipe: %m");
	if (rng_below(&l->rng, 2))
		restrict_alone(l);
	ends_count(RUN_init_dies);
	end_alone(l);
}

static void play_namespace(uint64_t *seed)
{
	struct life_of_run *l = begin(seed, 0), *init;
	pid_t pid;

	if (!start(l))
		return;
	init = life_prepare(l, rng_next(&l->rng), 0);
	pid = sys_clone(CLONE_NEWPID);
	if (!pid)
		inner_init(init);
	// Users may not; then there is none.
	end_alone(l);
}

// play_quick has n lives of a millisecond each.
static void play_quick(uint64_t *seed, uint32_t n)
{
	struct life_of_run *l = begin(seed, 0);

	if (!start(l))
		return;
	if (rng_below(&l->rng, 2))
		restrict_alone(l);
	for (uint32_t i = 0, live = 0; i < n || live;) {
		struct life_of_run child = *l;
		pid_t pid;

		if (live == QUICK_AT_ONCE || i == n) {
			pid = waitpid(-1, NULL, 0);
			if (pid < 0)
				die("wait for a quick life: %m");
			end_reaped(pid);
			live--;
			continue;
		}
		child.born_from = boottime_ns();
		pid = sys_clone(0);
		if (pid < 0)
			die("clone: %m");
		if (!pid) {
			life_starts(&child);
			ends_count(RUN_quick);
			sleep_us(1000);
			end_alone(&child);
		}
		i++;
		live++;
	}
	end_alone(l);
}

// kill_workers ends processes of which only a worker is left.
static void kill_workers(void)
{
	for (uint64_t i = 0; i < ends->nlives; i++) {
		struct life_of_run *l = &ends->life[i];

		if (!l->last_tid)
			continue;
		task_await_end(l->pid, l->last_tid);
		kill(l->pid, SIGKILL);
		l->last_tid = 0;
	}
}

// given_up reports whether nobody wants to know any more.
static int given_up(void)
{
	return table->failed[0] || hung_up(STDIN_FILENO);
}

// await_all reaps until nobody is left.
static void await_all(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, __WALL | WNOHANG)) >= 0 && !given_up()) {
		if (pid) {
			end_reaped(pid);
			continue;
		}
		kill_workers();
		sleep_us(500);
	}
}

void runs_play(uint64_t seed, uint32_t lives, uint32_t quick, uint32_t groups)
{
	struct rlimit none = {0, 0};

	ends_create();
	take_groups(groups);
	make_setuid();
	make_broken();
	ends->rings = ring_works();
	// What dumps core does all that the kernel does for it, and leaves no file.
	if (setrlimit(RLIMIT_CORE, &none))
		die("limit of core dumps: %m");
	for (uint32_t i = 0; i < lives && !given_up(); i++) {
		struct life_of_run *l = begin(&seed, 3 + rng_below(&seed, 14));

		if (start(l)) {
			if (!i) // one of a greater age than all others
				sleep_us(600000);
			run_live(l);
		}
		if (i % AT_ONCE == 0)
			play_namespace(&seed);
		if (i % AT_ONCE == AT_ONCE - 1)
			await_all();
	}
	for (uint32_t i = 0; i < 4 && quick; i++)
		play_quick(&seed, quick / 4);
	await_all();
	if (!given_up())
		ends_print();
}
