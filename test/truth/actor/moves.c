// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "moves.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "churn.h"
#include "crew.h"
#include "rng.h"
#include "sys.h"
#include "table.h"

enum move {
	MOVE_FORK = CREW_MOVES,
	MOVE_CLONE_PARENT,
	MOVE_VFORK,
	MOVES,
};

static const uint8_t weights[MOVES] = {
	[MOVE_REST] = 4, [MOVE_RESTRICT] = 6, [MOVE_THREAD] = 8, [MOVE_THREAD_EXIT] = 3,
	[MOVE_LEADER_EXIT] = 2, [MOVE_EXEC] = 2, [MOVE_EXEC_THREAD] = 3, [MOVE_FORK] = 2,
	[MOVE_CLONE_PARENT] = 1, [MOVE_VFORK] = 2,
};

static struct life *life;
static int depths[CREW_MAX];
static int next_move; // enum crew_move or move
// A thread that is about to end; the next one waits until it is gone.
static int leaving = -1;

static void happened(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
}

static uint64_t can(int depth)
{
	return depth ? CAN_SANDBOXED : CAN_UNSANDBOXED;
}

// state returns the state of this process if member but did not count.
static uint64_t state(int but)
{
	uint64_t seen = 0;

	for (int i = crew_after(-1); i >= 0; i = crew_after(i))
		if (i != but)
			seen |= can(depths[i]);
	return seen == (CAN_SANDBOXED | CAN_UNSANDBOXED) ? CAN_PARTIAL : seen;
}

// change announces a new state, if it is one.
static void change(uint64_t to)
{
	if (to != life_can(life))
		life_change(life, to);
}

static void restrict_me(int me)
{
	struct ll_mask m = ll_random(table->rights, &life->rng, 1);
	int had = depths[me], err;
	uint8_t nnp = 0;

	if (table->abi < 1 || life->family == FAMILY_NEVER || had == LL_MAX_DEPTH)
		return;
	depths[me]++;
	change(state(-1));
	err = ll_restrict(m, NULL, 0, &nnp);
	if (err)
		die("restrict at depth %d: %s", had, strerror(err));
	life_changed(life);
	happened(&lives->restricts);
}

static void await_leaving(void)
{
	if (leaving >= 0 && crew_await_end(leaving))
		life_changed(life);
	leaving = -1;
}

static void leave(int me)
{
	int next = crew_pick(rng_below(&life->rng, crew_live() - 1), me);

	happened(me ? &lives->thread_exits : &lives->leader_exits);
	change(state(me));
	leaving = me;
	next_move = MOVE_REST;
	crew_leave(me, next);
}

struct image {
	char life[24], depth[8];
	char *argv[5];
};

// image_args are the arguments of the next image of a life.
static void image_args(struct image *img, const struct life *l, int depth)
{
	snprintf(img->life, sizeof(img->life), "%llu", (unsigned long long)life_token(l));
	snprintf(img->depth, sizeof(img->depth), "%d", depth);
	img->argv[0] = (char *)family_name(l->family);
	img->argv[1] = "--alive";
	img->argv[2] = img->life;
	img->argv[3] = img->depth;
	img->argv[4] = NULL;
}

static void exec_me(int me)
{
	struct image img;

	happened(me ? &lives->thread_execs : &lives->execs);
	image_args(&img, life, depths[me]);
	// While the others are being killed it is in the old state or the new.
	change(can(depths[me]));
	sys_exec(img.argv[0], img.argv);
	die("execute %s: %m", img.argv[0]);
}

static void vfork_me(int me)
{
	uint64_t generation;
	struct image img;
	struct life *l;
	pid_t pid;

	if (!family_enter(life->family))
		return;
	l = life_new(life->family, rng_next(&life->rng), can(depths[me]));
	generation = l->generation;
	l->steps = 2;
	image_args(&img, l, depths[me]);
	pid = vfork();
	if (pid < 0)
		die("vfork: %m");
	if (!pid) {
		sys_exec(img.argv[0], img.argv);
		_exit(1);
	}
	life_is(l, generation, pid);
	happened(&lives->vforks);
}

static void end(void)
{
	// Its tasks die one by one: a mixture can look like either part of it.
	if (life_can(life) == CAN_PARTIAL)
		life_change(life, CAN_SANDBOXED | CAN_PARTIAL | CAN_UNSANDBOXED);
	_exit(0);
}

static void clone_me(int me, unsigned long flags)
{
	if (!family_enter(life->family))
		return;
	if (flags)
		happened(&lives->clone_parents);
	life_begin(flags, life->family, rng_next(&life->rng), depths[me]);
}

static void move(int me)
{
	switch (next_move) {
	case MOVE_RESTRICT:
		restrict_me(me);
		break;
	case MOVE_THREAD:
		depths[crew_ever()] = depths[me];
		crew_add(me);
		happened(&lives->threads);
		break;
	case MOVE_THREAD_EXIT:
	case MOVE_LEADER_EXIT:
		leave(me);
		break;
	case MOVE_FORK:
		clone_me(me, 0);
		break;
	case MOVE_CLONE_PARENT:
		clone_me(me, CLONE_PARENT);
		break;
	case MOVE_VFORK:
		vfork_me(me);
		break;
	case MOVE_EXEC:
	case MOVE_EXEC_THREAD:
		exec_me(me);
		break;
	default:
		// Long enough for a whole scan, now and then.
		sleep_us(rng_below(&life->rng, 4) ? 200 : rng_below(&life->rng, 30000));
		break;
	}
}

static int step(int me)
{
	await_leaving();
	// Counted before the move, which may be one that does not return here.
	if (life->steps-- <= 0 || table->stop)
		end();
	move(me);
	return crew_draw(&life->rng, weights, MOVES, &next_move);
}

static void joined(int creator, int me)
{
	(void)creator;
	(void)me;
}

static void parked(int me)
{
	(void)me;
	_exit(0);
}

static const struct crew_plan plan = {joined, step, parked};

static void __attribute__((noreturn)) live(struct life *l, int depth)
{
	life = l;
	depths[0] = depth;
	next_move = MOVE_RESTRICT + rng_below(&l->rng, 2);
	leaving = -1;
	crew_run(&plan);
}

void life_begin(unsigned long flags, int family, uint64_t rng, int depth)
{
	struct life *l = life_new(family, rng, can(depth));
	uint64_t generation = l->generation;
	pid_t pid;

	l->steps = 1 + rng_below(&l->rng, 14);
	pid = sys_clone(flags);
	if (pid < 0)
		die("clone: %m");
	if (!pid) {
		life_is(l, generation, getpid());
		live(l, depth);
	}
	life_is(l, generation, pid);
	happened(&lives->processes);
}

void churn_resume(uint64_t token, int depth)
{
	struct life *l;

	lives_attach();
	l = life_of(token);
	life_is(l, token / LIVES, getpid());
	life_changed(l);
	live(l, depth);
}
