// SPDX-License-Identifier: Apache-2.0

// The families and their managers. moves.c has what a process does.
#define _GNU_SOURCE
#include "churn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "moves.h"
#include "reap.h"
#include "rng.h"
#include "sys.h"
#include "table.h"

// CHURN_NICE is by how much the churn is nicer than whoever started it.
#define CHURN_NICE 10

static const char *const names[FAMILIES] = {"ld-always", "ld-never", "ld-mixed"};

const char *family_name(int family)
{
	return names[family];
}

int family_enter(int family)
{
	int32_t n = __atomic_add_fetch(&table->population[family], 1, __ATOMIC_SEQ_CST);

	if (n <= (int32_t)table->limit)
		return 1;
	__atomic_sub_fetch(&table->population[family], 1, __ATOMIC_SEQ_CST);
	return 0;
}

// family_depth is the depth at which a family's manager starts.
static int family_depth(int family)
{
	return family == FAMILY_ALWAYS && table->abi > 0;
}

static void start_family(int family, uint64_t seed)
{
	char fam[16], text[32];
	char *argv[] = {(char *)names[family], "--manage", fam, text, NULL};
	struct life *l = life_manager(family, seed, family_depth(family) ? CAN_SANDBOXED : CAN_UNSANDBOXED);
	pid_t pid = sys_clone(0);
	uint8_t nnp = 0;

	if (pid < 0)
		fail("clone: %m");
	if (pid)
		return;
	leave_coordinator();
	life_is(l, l->generation, getpid());
	// Before the exec that gives the name: whoever has the name is sandboxed.
	if (family_depth(family) &&
	    ll_restrict(ll_random(table->rights, &seed, 1), NULL, 0, &nnp))
		die("restrict the family that is always sandboxed");
	snprintf(fam, sizeof(fam), "%d", family);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
	sys_exec(names[family], argv);
	die("execute %s: %m", names[family]);
}

void churn_start(uint64_t seed, uint32_t limit)
{
	// At equal priority, processes that come and go can keep whoever judges
	// them from the processor for seconds; records are used anew meanwhile.
	errno = 0;
	if (nice(CHURN_NICE) < 0 && errno)
		die("nice");
	lives_attach();
	lives->magic = LIVES_MAGIC;
	lives->life_size = sizeof(struct life);
	lives->count = LIVES;
	table->limit = limit / FAMILIES - 1;
	for (int f = 0; f < FAMILIES; f++)
		start_family(f, rng_next(&seed));
	printf("{\"abi\":%d}\n", table->abi);
	fflush(stdout);
}

void churn_manage(int family, uint64_t seed)
{
	int status;
	pid_t pid;

	lives_attach();
	// All that the family loses comes here to be reaped and counted.
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		die("subreaper: %m");
	while (!table->stop && !hung_up(FD_LIFE)) {
		while (family_enter(family))
			life_begin(0, family, rng_next(&seed), family_depth(family));
		pid = waitpid(-1, &status, 0);
		if (pid < 0)
			die("no child to wait for: %m");
		for (; pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
			reap_check(pid, status);
			__atomic_sub_fetch(&table->population[family], 1, __ATOMIC_SEQ_CST);
		}
	}
	table->stop = 1;
	_exit(0);
}
