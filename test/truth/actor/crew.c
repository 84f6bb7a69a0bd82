// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "crew.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "rng.h"
#include "sys.h"

#define STACK (64 * 1024)

static const struct crew_plan *plan;
static struct {
	pid_t tid;
	int alive;
} members[CREW_MAX];
static int ever;
static uint32_t baton;
static int creator_of_new;

int crew_alive(int i)
{
	return members[i].alive;
}

int crew_ever(void)
{
	return ever;
}

pid_t crew_tid(int i)
{
	return members[i].tid;
}

int crew_live(void)
{
	int n = 0;

	for (int i = 0; i < ever; i++)
		n += members[i].alive;
	return n;
}

int crew_after(int i)
{
	while (++i < ever)
		if (members[i].alive)
			return i;
	return -1;
}

int crew_pick(int nth, int but)
{
	for (int i = crew_after(-1); i >= 0; i = crew_after(i))
		if (i != but && nth-- == 0)
			return i;
	return -1;
}

int crew_draw(uint64_t *rng, const uint8_t *weights, int n, int *move)
{
	int live = crew_live(), others = live - crew_alive(0);
	uint32_t sum = 0, at;

	for (int i = 0; i < n; i++)
		sum += weights[i];
	at = rng_below(rng, sum);
	for (*move = 0; at >= weights[*move]; ++*move)
		at -= weights[*move];
	switch (*move) {
	case MOVE_THREAD:
		if (ever == CREW_MAX)
			*move = MOVE_REST;
		break;
	case MOVE_THREAD_EXIT:
	case MOVE_EXEC_THREAD:
		if (others && live > 1)
			return crew_pick(rng_below(rng, others), 0);
		*move = MOVE_REST;
		break;
	case MOVE_LEADER_EXIT:
		if (crew_alive(0) && others)
			return 0;
		*move = MOVE_REST;
		break;
	default:
		break;
	}
	return crew_pick(rng_below(rng, live), -1);
}

static void pass(int to)
{
	__atomic_store_n(&baton, (uint32_t)to, __ATOMIC_SEQ_CST);
	futex_wake(&baton);
}

// wait_turn returns 0 if there is nothing left to do.
static int wait_turn(int me)
{
	uint32_t b;

	while ((b = __atomic_load_n(&baton, __ATOMIC_SEQ_CST)) != (uint32_t)me) {
		if (b == (uint32_t)CREW_PARK)
			return 0;
		if (!futex_wait(&baton, b))
			die("thread %d waited a minute for %d to act", me, (int)b);
	}
	return 1;
}

static void member(int me)
{
	while (wait_turn(me)) {
		int next = plan->step(me);

		if (next != me)
			pass(next);
	}
	plan->parked(me);
}

static void *start(void *arg)
{
	int me = (int)(intptr_t)arg;

	members[me].tid = sys_gettid();
	members[me].alive = 1;
	plan->joined(creator_of_new, me);
	pass(creator_of_new);
	member(me);
	sys_exit_thread();
}

void crew_run(const struct crew_plan *p)
{
	plan = p;
	memset(members, 0, sizeof(members));
	members[0].tid = sys_gettid();
	members[0].alive = 1;
	ever = 1;
	baton = 0;
	member(0);
	sys_exit_thread();
}

int crew_add(int me)
{
	pthread_attr_t attr;
	pthread_t t;
	int err, idx = ever++;

	creator_of_new = me;
	__atomic_store_n(&baton, (uint32_t)idx, __ATOMIC_SEQ_CST);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	err = pthread_create(&t, &attr, start, (void *)(intptr_t)idx);
	if (err)
		die("pthread_create: %s", strerror(err));
	pthread_attr_destroy(&attr);
	if (!wait_turn(me))
		die("a new thread parked its creator");
	return idx;
}

void crew_leave(int me, int next)
{
	members[me].alive = 0;
	pass(next);
	// Not pthread_exit: it needs a shared library in a static program, and
	// would end the process where it counts this thread as the last one.
	sys_exit_thread();
}

int crew_await_end(int i)
{
	return task_await_end(getpid(), members[i].tid);
}
