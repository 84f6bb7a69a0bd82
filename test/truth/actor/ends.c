// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "ends.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"
#include "table.h"

struct ends *ends;

const char *const exe_names[EXES] = {
	"ld-alder", "ld-birch", "ld-cedar", "ld-douglas-fir-and-larch", "actor", "ld-setuid", "ld-broken",
};

void ends_create(void)
{
	int fd = syscall(SYS_memfd_create, "ends", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*ends)) || dup2(fd, FD_LIVES) < 0) {
		perror("shared ends");
		_exit(1);
	}
	close(fd);
	ends_attach();
}

void ends_attach(void)
{
	ends = mmap(NULL, sizeof(*ends), PROT_READ | PROT_WRITE, MAP_SHARED, FD_LIVES, 0);
	if (ends == MAP_FAILED)
		die("map the shared ends: %m");
}

void ends_count(enum run_op op)
{
	__atomic_fetch_add(&ends->ops[op], 1, __ATOMIC_SEQ_CST);
}

struct life_of_run *life_prepare(const struct life_of_run *parent, uint64_t rng, int steps)
{
	struct life_of_run *l = &ends->life[table_take(&ends->nlives, MAX_LIVES)];

	if (parent)
		*l = *parent;
	else
		*l = (struct life_of_run){.exe = EXE_ACTOR, .uid = geteuid()};
	l->rng = rng;
	l->steps = steps;
	l->pid = 0;
	l->born_to = 0;
	l->ring = 0;
	l->last_tid = 0;
	l->born_from = boottime_ns();
	return l;
}

void life_starts(struct life_of_run *l)
{
	l->born_to = boottime_ns();
	l->pid = l->inner ? 0 : getpid();
}

uint32_t end_of(const struct life_of_run *l, enum end_kind kind, const struct answer *can, int n)
{
	uint32_t number = table_take(&ends->nends, MAX_ENDS);
	struct end *e = &ends->end[number];

	e->born_from = l->born_from;
	e->born_to = l->born_to;
	e->group = l->group;
	e->kind = kind;
	e->answers = n;
	for (int i = 0; i < n; i++)
		e->can[i] = can[i];
	e->at_from = boottime_ns();
	__atomic_store_n(&e->pid, l->pid, __ATOMIC_SEQ_CST);
	return number;
}

void end_over(uint32_t number)
{
	ends->end[number].at_to = boottime_ns();
}

void end_reaped(pid_t pid)
{
	// The newest: a number is used again only once its process is reaped.
	for (uint64_t i = ends->nends; i; i--) {
		struct end *e = &ends->end[i - 1];

		if (e->pid == pid && e->kind == END_RUN) {
			if (!e->at_to)
				e->at_to = boottime_ns();
			return;
		}
	}
}

static void print_end(const struct end *e)
{
	static const char *const states[] = {"unknown", "unsandboxed", "partial", "sandboxed"};

	printf("{\"kind\":\"%s\",\"group\":%d,\"pid\":%d,\"born_from\":%llu,\"born_to\":%llu,"
	       "\"at_from\":%llu,\"at_to\":%llu,\"can\":[",
	       e->kind == END_RUN ? "run" : "launch", e->group, e->pid, (unsigned long long)e->born_from, (unsigned long long)e->born_to,
	       (unsigned long long)e->at_from, (unsigned long long)e->at_to);
	for (int i = 0; i < e->answers; i++) {
		const struct answer *a = &e->can[i];

		printf("%s{\"state\":\"%s\",\"depth\":%d,\"exe\":\"%s\",\"uid\":%u,\"handled\":[%u,%u,%u]}",
		       i ? "," : "", states[a->state], a->depth, exe_names[a->exe], a->uid, a->handled.fs,
		       a->handled.net, a->handled.scope);
	}
	printf("]}");
}

void ends_print(void)
{
	static const char *const ops[] = {
#define X(name) #name,
		RUN_OPS(X)
#undef X
	};

	printf("{\"abi\":%d,\"rings\":%s,\"ops\":{", table->abi, ends->rings ? "true" : "false");
	for (int i = 0; i < RUN_OP_COUNT; i++)
		printf("%s\"%s\":%u", i ? "," : "", ops[i], ends->ops[i]);
	printf("},\"ends\":[");
	for (uint64_t i = 0; i < ends->nends; i++) {
		if (i)
			putchar(',');
		print_end(&ends->end[i]);
	}
	printf("]}\n");
	fflush(stdout);
}
