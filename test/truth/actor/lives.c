// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "lives.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"

struct lives *lives;

static void set(uint64_t *word, uint64_t v)
{
	__atomic_store_n(word, v, __ATOMIC_SEQ_CST);
}

void lives_attach(void)
{
	struct stat st;

	if (fstat(FD_LIVES, &st) || st.st_size < (off_t)sizeof(*lives))
		die("the file of lives is shorter than %zu bytes", sizeof(*lives));
	lives = mmap(NULL, sizeof(*lives), PROT_READ | PROT_WRITE, MAP_SHARED, FD_LIVES, 0);
	if (lives == MAP_FAILED)
		die("map the file of lives: %m");
}

static struct life *prepare(struct life *l, int family, uint64_t rng, uint64_t can)
{
	uint64_t now;

	set(&l->generation, l->generation + 1);
	set(&l->pid, 0);
	set(&l->nphases, 0);
	now = boottime_ns();
	set(&l->born_from, now);
	set(&l->born_to, 0);
	set(&l->phase[0].before, now);
	set(&l->phase[0].after, now);
	set(&l->phase[0].can, can);
	set(&l->nphases, 1);
	l->rng = rng;
	l->family = family;
	l->steps = 0;
	set(&l->generation, l->generation + 1);
	return l;
}

struct life *life_new(int family, uint64_t rng, uint64_t can)
{
	// A ring: lives are short, and a record is used again long after its
	// process has ended.
	uint64_t i = __atomic_fetch_add(&lives->next, 1, __ATOMIC_SEQ_CST);

	return prepare(&lives->life[FAMILIES + i % (LIVES - FAMILIES)], family, rng, can);
}

struct life *life_manager(int family, uint64_t rng, uint64_t can)
{
	return prepare(&lives->life[family], family, rng, can);
}

void life_is(struct life *l, uint64_t generation, uint64_t pid)
{
	if (l->generation != generation)
		return;
	set(&l->pid, pid);
	if (!__atomic_load_n(&l->born_to, __ATOMIC_SEQ_CST))
		set(&l->born_to, boottime_ns());
}

uint64_t life_token(const struct life *l)
{
	return l->generation * LIVES + (uint64_t)(l - lives->life);
}

struct life *life_of(uint64_t token)
{
	return &lives->life[token % LIVES];
}

static void check_mine(const struct life *l)
{
	if (l->pid != (uint64_t)getpid())
		_exit(0);
}

void life_change(struct life *l, uint64_t can)
{
	uint64_t n = l->nphases;

	check_mine(l);
	if (n == PHASES)
		die("a life has more than %d phases", PHASES);
	set(&l->phase[n].before, boottime_ns());
	set(&l->phase[n].after, 0);
	set(&l->phase[n].can, can);
	set(&l->nphases, n + 1);
	__atomic_fetch_add(&lives->transitions, 1, __ATOMIC_SEQ_CST);
}

void life_changed(struct life *l)
{
	struct phase *p = &l->phase[l->nphases - 1];

	check_mine(l);
	if (!p->after)
		set(&p->after, boottime_ns());
}

uint64_t life_can(const struct life *l)
{
	return l->phase[l->nphases - 1].can;
}
