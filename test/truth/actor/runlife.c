// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "runlife.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"
#include "rng.h"
#include "runclone.h"
#include "sys.h"
#include "table.h"

enum move {
	MOVE_LONG = CREW_MOVES,
	MOVE_CLONE,
	MOVE_EXEC_SETUID,
	MOVE_EXEC_FAILS,
	MOVE_SETRESUID,
	MOVE_CGROUP,
	MOVE_RING,
	MOVES,
};

static const uint8_t weights[MOVES] = {
	[MOVE_REST] = 2, [MOVE_RESTRICT] = 7, [MOVE_THREAD] = 9, [MOVE_THREAD_EXIT] = 3,
	[MOVE_LEADER_EXIT] = 2, [MOVE_EXEC] = 3, [MOVE_EXEC_THREAD] = 4, [MOVE_LONG] = 1,
	[MOVE_CLONE] = 6, [MOVE_EXEC_SETUID] = 1, [MOVE_EXEC_FAILS] = 1, [MOVE_SETRESUID] = 1,
	[MOVE_CGROUP] = 2, [MOVE_RING] = 1,
};

struct life_of_run *run_self;
struct run_thread run_threads[CREW_MAX];

static int next_move; // enum crew_move or move
static int leaving = -1;

void run_add_layer(struct run_thread *t, struct ll_mask mask)
{
	t->depth++;
	t->handled.fs |= mask.fs;
	t->handled.net |= mask.net;
	t->handled.scope |= mask.scope;
}

void run_restrict(struct run_thread *t, struct ll_mask mask)
{
	uint8_t nnp = 0;
	int err = ll_restrict(mask, NULL, 0, &nnp);

	if (err)
		die("restrict at depth %d: %s", t->depth, strerror(err));
	run_add_layer(t, mask);
	ends_count(RUN_restrict);
}

static void restrict_me(int me)
{
	if (table->abi < 1 || run_threads[me].depth == LL_MAX_DEPTH)
		return;
	run_restrict(&run_threads[me], ll_random(table->rights, &run_self->rng, 1));
	if (crew_live() > 1)
		ends_count(RUN_restrict_beside_threads);
}

static void exec_me(int me, int exe)
{
	struct answer a = run_answer(run_all());

	run_self->depth = run_threads[me].depth;
	run_self->handled = run_threads[me].handled;
	ends_count(exe == EXE_SETUID ? RUN_exec_setuid : RUN_exec);
	if (crew_live() > 1)
		ends_count(RUN_exec_with_threads);
	if (me)
		ends_count(RUN_exec_from_thread);
	if (!crew_alive(0))
		ends_count(RUN_exec_after_leader_exit);
	run_launch(run_self, a, exe);
	die("execute %s: %m", exe_names[exe]);
}

static void fail_to_exec(void)
{
	char *argv[] = {NULL};

	syscall(SYS_execveat, FD_BIN, "no-such-program", argv, argv, 0);
	if (errno != ENOENT)
		die("execute what is not there: %m");
	ends_count(RUN_exec_fails);
}

static void set_uid(void)
{
	uid_t uid = 20000 + rng_below(&run_self->rng, 3);

	// Of all threads, or who they are would be a question of its own, and a worker has
	// no user but its leader's.
	if (crew_live() > 1 || (run_self->ring && !crew_alive(0)) || syscall(SYS_setresuid, uid, uid, uid))
		return;
	run_self->uid = uid;
	ends_count(RUN_setresuid);
}

static void make_ring(void)
{
	if (!ends->rings || run_self->ring || !crew_alive(0) || ring_setup() < 0)
		return;
	run_self->ring = 1;
	ends_count(RUN_ring);
}

void run_leave(int me)
{
	leaving = me;
	ends_count(me ? RUN_thread_exit : RUN_leader_exit);
	next_move = MOVE_REST;
	crew_leave(me, crew_pick(rng_below(&run_self->rng, crew_live() - 1), me));
}

static void move(int me)
{
	switch (next_move) {
	case MOVE_LONG:
		ends_count(RUN_long_life);
		sleep_us(60000);
		break;
	case MOVE_RESTRICT:
		restrict_me(me);
		break;
	case MOVE_THREAD:
		run_threads[crew_ever()] = run_threads[me];
		crew_add(me);
		ends_count(RUN_thread);
		break;
	case MOVE_THREAD_EXIT:
	case MOVE_LEADER_EXIT:
		run_leave(me);
		break;
	case MOVE_CLONE:
		run_clone(rng_below(&run_self->rng, RUN_WAYS), &run_threads[me]);
		break;
	case MOVE_EXEC:
	case MOVE_EXEC_THREAD:
		exec_me(me, rng_below(&run_self->rng, EXE_LINKS));
		break;
	case MOVE_EXEC_SETUID:
		exec_me(me, EXE_SETUID);
		break;
	case MOVE_EXEC_FAILS:
		fail_to_exec();
		break;
	case MOVE_SETRESUID:
		set_uid();
		break;
	case MOVE_CGROUP:
		run_move_to(run_self, rng_below(&run_self->rng, ends->groups));
		ends_count(crew_alive(0) ? RUN_cgroup : RUN_cgroup_after_leader_exit);
		break;
	case MOVE_RING:
		make_ring();
		break;
	default:
		sleep_us(rng_below(&run_self->rng, 500));
		break;
	}
}

static int step(int me)
{
	if (leaving >= 0)
		crew_await_end(leaving);
	leaving = -1;
	if (run_self->steps == 0)
		return run_end(me);
	run_self->steps--;
	move(me);
	return crew_draw(&run_self->rng, weights, MOVES, &next_move);
}

static void joined(int creator, int me)
{
	(void)creator;
	(void)me;
}

static const struct crew_plan plan = {joined, step, run_parked};

static void __attribute__((noreturn)) live(struct life_of_run *l)
{
	run_self = l;
	run_threads[0] = (struct run_thread){l->depth, l->handled};
	next_move = MOVE_RESTRICT + rng_below(&l->rng, 2);
	leaving = -1;
	crew_run(&plan);
}

void run_live(struct life_of_run *l)
{
	life_starts(l);
	live(l);
}

void run_resume(uint32_t number)
{
	struct life_of_run *l;

	ends_attach();
	l = &ends->life[number];
	end_over(l->launch);
	l->uid = geteuid();
	l->ring = 0;
	live(l);
}
