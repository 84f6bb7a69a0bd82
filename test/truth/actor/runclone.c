// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "runclone.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rng.h"
#include "runlife.h"
#include "sys.h"
#include "table.h"

#define NR_CLONE3 435
#define INTO_CGROUP 0x200000000ULL
#define STACK (32 * 1024)

struct answer run_alone(const struct life_of_run *l)
{
	return (struct answer){
		.state = l->depth ? SAYS_SANDBOXED : SAYS_UNSANDBOXED,
		.depth = l->depth,
		.exe = l->exe,
		.uid = l->uid,
		.handled = l->handled,
	};
}

void run_move_to(struct life_of_run *l, int group)
{
	l->group = group;
	for (int v = 0; v < 2; v++) {
		int fd = FD_GROUPS + MAX_GROUPS * v + group;

		// The hierarchy of v1 need not be there.
		if (fcntl(fd, F_GETFD) >= 0 && write(fd, "0", 1) != 1)
			die("move to a cgroup: %m");
	}
}

void run_exec(const struct life_of_run *l, int exe)
{
	char number[16];
	char *argv[] = {(char *)exe_names[exe], "--run", number, NULL};

	snprintf(number, sizeof(number), "%d", (int)(l - ends->life));
	sys_exec(exe_names[exe], argv);
}

void run_launch(struct life_of_run *l, struct answer a, int exe)
{
	struct answer can[4] = {a};
	int n = 1;

	// Who the effective user was, a setuid program's exec ends before anybody can look,
	// and such a program need not report in whose place it executes the next one.
	if (getuid() != a.uid) {
		can[n] = a;
		can[n++].uid = getuid();
	}
	if (exe == EXE_SETUID) {
		can[n] = a;
		can[n++].uid = 0;
		can[n] = a;
		can[n++].uid = (uid_t)-1; // it is not known
	}
	l->launch = end_of(l, END_LAUNCH, can, n);
	l->exe = exe;
	run_exec(l, exe);
}

// clone_into clones into a cgroup of v2.
static pid_t clone_into(int group)
{
	uint64_t args[11] = {INTO_CGROUP, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, FD_GROUP_DIRS + group};

	return syscall(NR_CLONE3, args, sizeof(args));
}

// brief is a short life in memory that it shares: nothing of libc is for it.
static int brief(void *arg)
{
	struct life_of_run *l = arg;
	struct answer a = run_alone(l);

	life_starts(l);
	end_of(l, END_RUN, &a, 1);
	syscall(SYS_exit_group, 0);
	return 0;
}

static pid_t share(struct life_of_run *l, int flags)
{
	// It is never given back: nobody waits here until the other one has ended.
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (stack == MAP_FAILED)
		die("map a stack: %m");
	return clone(brief, stack + STACK, CLONE_VM | flags | SIGCHLD, l);
}

static pid_t shared_until_exec(struct life_of_run *l, int execs)
{
	struct answer a = run_alone(l);
	pid_t pid = vfork();

	if (pid)
		return pid;
	life_starts(l);
	if (execs)
		run_launch(l, a, rng_below(&l->rng, EXE_LINKS));
	else
		end_of(l, END_RUN, &a, 1);
	_exit(execs);
}

void run_clone(enum run_way way, const struct run_thread *creator)
{
	static const enum run_op ops[RUN_WAYS] = {
		RUN_fork, RUN_clone_parent, RUN_clone_into_cgroup, RUN_clone_shared_memory,
		RUN_clone_shared_handlers, RUN_vfork_exec, RUN_vfork_exit,
	};
	uint64_t seed = rng_next(&run_self->rng);
	struct life_of_run *l = life_prepare(run_self, seed, 1 + rng_below(&seed, 5));
	int group = rng_below(&seed, ends->groups);
	pid_t pid;

	l->depth = creator->depth;
	l->handled = creator->handled;
	switch (way) {
	case WAY_CGROUP:
		if (fcntl(FD_GROUP_DIRS, F_GETFD) < 0 || run_self->uid)
			return; // root's directories
		pid = clone_into(group);
		break;
	case WAY_MEMORY:
		pid = share(l, 0);
		break;
	case WAY_HANDLERS:
		pid = share(l, CLONE_SIGHAND);
		break;
	case WAY_VFORK_EXEC:
	case WAY_VFORK_EXIT:
		pid = shared_until_exec(l, way == WAY_VFORK_EXEC);
		break;
	default:
		pid = sys_clone(way == WAY_PARENT ? CLONE_PARENT : 0);
	}
	if (pid < 0)
		die("clone in way %d: %m", way);
	if (pid) {
		ends_count(ops[way]);
		return;
	}
	if (way == WAY_CGROUP)
		run_move_to(l, group); // in the other hierarchy, too
	run_live(l);
}
