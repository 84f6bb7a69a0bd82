// SPDX-License-Identifier: Apache-2.0

// Growth: which step a process does next. steps.c has the steps themselves.
#define _GNU_SOURCE
#include "forest.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ring.h"
#include "rng.h"
#include "site.h"
#include "steps.h"
#include "sys.h"
#include "table.h"
#include "try.h"

struct proc *self;

struct task *task_of(int member)
{
	return &table->task[self->task[member]];
}

static int new_task(const struct task *creator)
{
	int i = table_take(&table->ntasks, MAX_TASKS);
	struct task *t = &table->task[i];

	if (creator)
		*t = *creator;
	t->tid = 0;
	t->born_from = boottime_ns();
	return i;
}

static void born(struct task *t)
{
	t->tid = sys_gettid();
	t->born_to = boottime_ns();
	t->live = 1;
}

// weights says how often each step is drawn.
static const struct {
	enum step step;
	uint8_t weight;
} weights[] = {
	{STEP_FORK, 18},       {STEP_CLONE_PARENT, 5}, {STEP_THREAD, 18},    {STEP_RESTRICT, 15},
	{STEP_RESTRICT_ALL, 6}, {STEP_EXEC, 5},	       {STEP_EXEC_THREAD, 5}, {STEP_THREAD_EXIT, 4},
	{STEP_LEADER_EXIT, 4}, {STEP_COMM, 5},	       {STEP_NNP, 3},	     {STEP_SECCOMP, 3},
	{STEP_SETRESUID, 6},   {STEP_USERNS, 2},       {STEP_SUBREAPER, 4},  {STEP_RING, 5},
	{STEP_ROOT, 5},	       {STEP_ROOT_ALONE, 3},   {STEP_MOUNT, 8},	     {STEP_RENAME, 6},
};

static enum step draw(void)
{
	unsigned total = 0, n;

	for (unsigned i = 0; i < sizeof(weights) / sizeof(*weights); i++)
		total += weights[i].weight;
	n = rng_below(&self->rng, total);
	for (unsigned i = 0;; i++) {
		if (n < weights[i].weight)
			return weights[i].step;
		n -= weights[i].weight;
	}
}

// actor returns who can do a step, or -1 if nobody can at this moment.
static int actor(enum step step)
{
	int live = crew_live();
	int leader = crew_alive(0);
	int others = live - leader;

	switch (step) {
	case STEP_FORK:
	case STEP_CLONE_PARENT:
		if (!self->budget)
			return -1;
		break;
	case STEP_THREAD:
		if (crew_ever() >= CREW_MAX)
			return -1;
		break;
	case STEP_RESTRICT_ALL:
		return live > 1 ? crew_after(-1) : -1;
	case STEP_EXEC_THREAD:
		return others ? crew_pick(rng_below(&self->rng, others), 0) : -1;
	case STEP_THREAD_EXIT:
		return others && live > 1 ? crew_pick(rng_below(&self->rng, others), 0) : -1;
	case STEP_LEADER_EXIT:
		return leader && others ? 0 : -1;
	case STEP_USERNS:
		// The kernel refuses a new user namespace to a group of several, and
		// rings have threads, too.
		return crew_ever() == 1 && !self->nrings ? 0 : -1;
	case STEP_ROOT_ALONE:
		if (live < 2)
			return -1;
		break;
	default:
		break;
	}
	return crew_pick(rng_below(&self->rng, live), -1);
}

// choose plans the next step and returns who does it.
static int choose(void)
{
	int who;

	if (self->then) {
		self->op = self->then;
		self->then = 0;
		who = actor(self->op);
		if (who >= 0)
			return who;
	}
	while (self->steps > 0) {
		self->steps--;
		self->op = draw();
		who = actor(self->op);
		if (who < 0)
			continue;
		// Threads in sibling domains, and then an exec from one of them.
		if (self->op == STEP_EXEC_THREAD && crew_live() > 1 && rng_below(&self->rng, 2)) {
			self->op = STEP_RESTRICT_ALL;
			self->then = STEP_EXEC_THREAD;
			return actor(self->op);
		}
		return who;
	}
	// The forest has as many processes as were asked for, however few forks
	// were drawn.
	if (self->budget) {
		self->op = STEP_FORK;
		return actor(self->op);
	}
	if (rng_below(&self->rng, 6) == 0) {
		self->op = STEP_EXIT;
		return crew_pick(rng_below(&self->rng, crew_live()), -1);
	}
	// From here on nothing of this process changes.
	__atomic_fetch_sub(&table->acting, 1, __ATOMIC_SEQ_CST);
	futex_wake(&table->acting);
	return CREW_PARK;
}

static int step(int me)
{
	if (self->op) {
		int again = step_do(self->op, me);

		if (again >= 0)
			return again;
	}
	return choose();
}

static void joined(int creator, int me)
{
	born(task_of(me));
	(void)creator;
}

void forest_prepare_thread(int creator, int idx)
{
	self->task[idx] = new_task(task_of(creator));
}

// trying is held by the thread that tries: the memory for that is the process's.
static pthread_mutex_t trying = PTHREAD_MUTEX_INITIALIZER;

// parked checks what this task believes of itself against the kernel, tries what
// it may do, reports and waits for the end.
static void parked(int me)
{
	struct task *t = task_of(me);
	char comm[16] = {0};

	wait_hangup(FD_GO);
	prctl(PR_GET_NAME, comm);
	if (strncmp(comm, t->comm, sizeof(comm)))
		die("task %d: comm is %.16s, not %.16s", t->tid, comm, t->comm);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != t->nnp)
		die("task %d: no_new_privs is not %d", t->tid, t->nnp);
	if (prctl(PR_GET_SECCOMP) != t->seccomp)
		die("task %d: seccomp is not %d", t->tid, t->seccomp);
	if (sys_gettid() != t->tid || getpid() != self->tgid)
		die("task %d is %d", t->tid, sys_gettid());
	// In a user namespace of its own it is called something else.
	if (self->userns == table->userns && geteuid() != t->uid)
		die("task %d: user is %u, not %u", t->tid, geteuid(), t->uid);
	pthread_mutex_lock(&trying);
	t->tried = try_rights(table->can_try, &t->denied);
	pthread_mutex_unlock(&trying);
	t->ppid = getppid();
	__atomic_fetch_add(&table->reported, 1, __ATOMIC_SEQ_CST);
	futex_wake(&table->reported);
	wait_hangup(FD_LIFE);
	_exit(0);
}

static const struct crew_plan plan = {joined, step, parked};

// take_slot gives half of the processes directories of their own.
static int take_slot(uint64_t *rng)
{
	uint64_t n;

	if (rng_below(rng, 2))
		return -1;
	n = __atomic_fetch_add(&table->nslots, 1, __ATOMIC_SEQ_CST);
	return n < table->slots ? (int)n : -1;
}

void forest_spawn(unsigned long flags, const struct proc *from, const struct task *creator,
		  uint64_t rng, uint32_t budget)
{
	int p = table_take(&table->nprocs, MAX_PROCS);
	struct proc *child = &table->proc[p];
	pid_t pid;

	*child = *from;
	child->tgid = 0;
	child->creator = flags & CLONE_PARENT ? 0 : from->tgid;
	child->rng = rng;
	child->budget = budget - 1;
	child->children = 0;
	child->steps = 3 + rng_below(&child->rng, 12);
	child->op = child->then = 0;
	// The kernel clears the subreaper bit in the child, too.
	child->subreaper = child->leader_gone = 0;
	// Rings and their workers stay with their process.
	child->nrings = 0;
	child->a_moved = child->b_moved = child->b_stays = 0;
	child->slot = take_slot(&child->rng);
	memset(child->task, -1, sizeof(child->task));
	child->task[0] = new_task(creator);
	__atomic_fetch_add(&table->acting, 1, __ATOMIC_SEQ_CST);

	pid = sys_clone(flags);
	if (pid < 0)
		die("clone: %m");
	if (pid)
		return;
	if (!self)
		leave_coordinator();
	self = child;
	self->tgid = getpid();
	born(task_of(0));
	crew_run(&plan);
}

void forest_resume(int proc, int task)
{
	struct task old, *t = &table->task[task];

	self = &table->proc[proc];
	// The thread that executed is now the leader: it has its number and its
	// time of birth, and kept its own domain. Everybody else is dead.
	old = table->task[self->task[0]];
	for (int i = 0; i < CREW_MAX; i++)
		if (self->task[i] >= 0)
			table->task[self->task[i]].live = 0;
	memset(self->task, -1, sizeof(self->task));
	self->task[0] = task;
	t->tid = old.tid;
	t->born_from = old.born_from;
	t->born_to = old.born_to;
	t->live = 1;
	self->leader_gone = 0;
	self->nrings = 0;
	self->op = 0;
	crew_run(&plan);
}

void forest_plant(uint64_t seed, uint32_t processes, const char *site)
{
	struct proc root = {.mount_fd = -1, .userns = ns_inode("/proc/self/ns/user")};
	struct task first = {
		.uid = geteuid(),
		.nnp = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
		.seccomp = prctl(PR_GET_SECCOMP),
	};
	uint64_t rng = seed;
	uint32_t denied, roots = 2 + rng_below(&rng, 4);

	table->userns = root.userns;
	table->rings = ring_works();
	// Half of them want one: this leaves out few in very few forests.
	site_make(site, processes / 2 + processes / 8 + 8);
	table->can_try = try_rights(~(uint32_t)0, &denied) & ~denied;
	prctl(PR_GET_NAME, first.comm);
	snprintf(root.exe, sizeof(root.exe), "%s", "actor");
	for (uint32_t left = processes; left; roots--) {
		uint32_t n = roots > 1 ? left / roots : left;

		if (!n)
			n = 1;
		forest_spawn(0, &root, &first, rng_next(&rng), n);
		left -= n;
	}
}
