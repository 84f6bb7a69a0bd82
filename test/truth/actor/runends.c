// SPDX-License-Identifier: Apache-2.0

// How a process of runs ends.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rng.h"
#include "runclone.h"
#include "runlife.h"
#include "sys.h"
#include "table.h"

static enum {
	EXIT,
	KILLED,
	DUMPED,
	BROKEN,	  // by an exec that fails beyond the point of no return
	SINGLY,	  // thread by thread
	STAMPEDE, // each thread calls exit_group(2)
	TOGETHER, // each calls exit(2)
	BESIDE_EXIT,	 // one calls exit(2), and another one exit_group(2)
	BESIDE_RESTRICT, // one restricts itself, and another one calls exit_group(2)
	WAYS,
} way = WAYS;

// Behind a barrier: first does what the way says, second calls exit_group(2).
static int first, second;
static struct ll_mask mask;
static uint32_t here, expected;

uint32_t run_all(void)
{
	uint32_t all = 0;

	for (int i = crew_after(-1); i >= 0; i = crew_after(i))
		all |= 1u << i;
	return all;
}

struct answer run_answer(uint32_t members)
{
	struct answer a = {.exe = run_self->exe, .uid = run_self->uid, .depth = 255};
	int in = 0, out = 0;

	for (int i = 0; i < CREW_MAX; i++) {
		const struct run_thread *t = &run_threads[i];

		if (!(members >> i & 1))
			continue;
		if (!t->depth) {
			out++;
			continue;
		}
		if (!in++)
			a.handled = t->handled;
		a.handled.fs &= t->handled.fs;
		a.handled.net &= t->handled.net;
		a.handled.scope &= t->handled.scope;
		if (t->depth < a.depth)
			a.depth = t->depth;
	}
	a.state = !out ? SAYS_SANDBOXED : in ? SAYS_PARTIAL : SAYS_UNSANDBOXED;
	if (out)
		a.depth = 0;
	return a;
}

static void ended(const struct answer *can, int n)
{
	end_of(run_self, END_RUN, can, n);
	if (crew_live() > 1)
		ends_count(RUN_exit_with_threads);
	if (n == 1 && can->state == SAYS_PARTIAL)
		ends_count(RUN_exit_partial);
}

// subsets writes an answer for each set of members that may be the last together.
static int subsets(struct answer *can)
{
	uint32_t all = run_all();
	int n = 0;

	for (uint32_t s = all; s; s = (s - 1) & all)
		if (n < MAX_ANSWERS)
			can[n++] = run_answer(s);
	return n;
}

static void __attribute__((noreturn)) end_by_broken(int me)
{
	struct answer can[4] = {run_answer(run_all()), run_answer(1u << me)};

	// The others end before, and who it is then is between two programs.
	can[2] = can[0];
	can[3] = can[1];
	can[2].exe = can[3].exe = EXE_BROKEN;
	ends_count(crew_live() > 1 ? RUN_exec_fails_late_with_threads : RUN_exec_fails_late);
	ended(can, 4);
	run_exec(run_self, EXE_BROKEN);
	die("execute a broken program: %m");
}

static void __attribute__((noreturn)) end_singly(int me)
{
	struct answer can[2] = {run_answer(1u << me), {.state = SAYS_UNKNOWN}};

	if (crew_live() > 1)
		run_leave(me);
	// Later, when a worker is all that there is, nobody need know any more who was last.
	can[1].exe = can[0].exe;
	can[1].uid = can[0].uid;
	ended(can, run_self->ring ? 2 : 1);
	ends_count(run_self->ring ? RUN_exit_singly_with_ring : RUN_exit_singly);
	if (run_self->ring)
		run_self->last_tid = sys_gettid();
	sys_exit_thread();
}

static void __attribute__((noreturn)) signal_me(int sig)
{
	syscall(SYS_tgkill, getpid(), sys_gettid(), sig);
	for (;;)
		pause();
}

// two prepares an end that two threads begin at once, and writes the other answer.
static void two(struct answer *other)
{
	struct run_thread *t;

	first = crew_pick(rng_below(&run_self->rng, crew_live()), -1);
	second = crew_pick(rng_below(&run_self->rng, crew_live() - 1), first);
	t = &run_threads[first];
	if (way == BESIDE_RESTRICT && (table->abi < 1 || t->depth == LL_MAX_DEPTH))
		way = BESIDE_EXIT;
	if (way == BESIDE_EXIT) {
		*other = run_answer(run_all() & ~(1u << first));
		ends_count(RUN_exit_beside_exit);
		return;
	}
	mask = ll_random(table->rights, &run_self->rng, 1);
	run_add_layer(t, mask);
	*other = run_answer(run_all());
	ends_count(RUN_restrict_beside_exit);
}

int run_end(int me)
{
	struct answer can[MAX_ANSWERS] = {run_answer(run_all())};

	if (way == SINGLY)
		end_singly(me);
	way = rng_below(&run_self->rng, crew_live() > 1 ? WAYS : STAMPEDE);
	// Too many answers, or a worker that stays.
	if (way == TOGETHER && (crew_live() > 3 || run_self->ring))
		way = STAMPEDE;
	expected = crew_live();
	switch (way) {
	case SINGLY:
		end_singly(me);
	case STAMPEDE:
		ended(can, 1);
		ends_count(RUN_exit_stampede);
		return CREW_PARK;
	case TOGETHER:
		ended(can, subsets(can));
		ends_count(RUN_exit_together);
		return CREW_PARK;
	case BESIDE_EXIT:
	case BESIDE_RESTRICT:
		two(&can[1]);
		ended(can, 2);
		return CREW_PARK;
	case KILLED:
		ended(can, 1);
		ends_count(RUN_killed);
		signal_me(SIGKILL);
	case DUMPED:
		ended(can, 1);
		ends_count(RUN_dumped);
		signal_me(SIGSEGV);
	case BROKEN:
		end_by_broken(me);
	default:
		ended(can, 1);
		ends_count(RUN_exit);
		_exit(0);
	}
}

void run_parked(int me)
{
	uint8_t nnp = 0;

	__atomic_fetch_add(&here, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&here, __ATOMIC_SEQ_CST) < expected)
		sched_yield();
	if (way == STAMPEDE || (way != TOGETHER && me == second))
		_exit(0); // exit_group(2)
	if (way == TOGETHER || (way == BESIDE_EXIT && me == first))
		sys_exit_thread();
	if (me == first)
		ll_restrict(mask, NULL, 0, &nnp);
	for (;;)
		pause();
}
