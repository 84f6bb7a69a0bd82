// SPDX-License-Identifier: Apache-2.0

// The coordinator's view: waits until /proc agrees that everything the table
// says has happened, and prints it.
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forest.h"
#include "ring.h"
#include "sys.h"
#include "table.h"

// settled reports whether the live tasks of a process are those of the table. A
// thread's last words come before its end, so this takes a moment.
static int settled(struct proc *p)
{
	int want = 0, found = 0, live = 0;
	struct dirent *e;
	char path[32];
	DIR *dir;

	// The thread of a ring may end behind the leader.
	if (p->gone && task_state(p->tgid, p->tgid) != 'Z')
		return 0;
	for (int i = 0; i < CREW_MAX; i++) {
		const struct task *t = &table->task[p->task[i] < 0 ? 0 : p->task[i]];

		if (p->task[i] < 0 || !t->live)
			continue;
		want++;
		live = t->tid;
		if (!task_state(p->tgid, t->tid))
			return 0;
	}
	if (!p->gone) {
		want += p->nrings;
		if (!ring_find(p, live))
			return 0;
	}
	if (p->gone || p->leader_gone) {
		want++;
		if (task_state(p->tgid, p->tgid) != 'Z')
			return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/task", p->tgid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((e = readdir(dir)))
		found += e->d_name[0] != '.';
	closedir(dir);
	return found == want;
}

// await waits for a counter in the table to have a value.
static void await(uint32_t *word, uint32_t want, const char *what)
{
	uint32_t v;

	while ((v = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != want) {
		if (table->failed[0])
			return;
		if (!futex_wait(word, v))
			fail("after a minute, %u instead of %u %s", v, want, what);
	}
}

static void settle(void)
{
	for (unsigned p = 0; p < table->nprocs; p++)
		for (int tries = 0; !settled(&table->proc[p]); tries++) {
			if (tries == 20000) {
				fail("process %d does not become what it should be",
				     table->proc[p].tgid);
				return;
			}
			sleep_us(500);
		}
}

static void print_bytes(const char *s, size_t n)
{
	for (size_t i = 0; i < n && s[i]; i++)
		printf("%02x", (unsigned char)s[i]);
}

// print_life prints the rest of what is known of a thread.
static void print_life(uint64_t from, uint64_t to, const uint32_t *layers, int depth)
{
	printf("\"born_from\":%llu,\"born_to\":%llu,\"layers\":[", (unsigned long long)from,
	       (unsigned long long)to);
	for (int i = 0; i < depth; i++)
		printf("%s%u", i ? "," : "", layers[i]);
	printf("]}");
}

static void print_task(const struct task *t)
{
	printf("{\"tid\":%d,\"uid\":%u,\"no_new_privs\":%s,\"seccomp\":%d,\"tried\":%u,\"denied\":%u,",
	       t->tid, t->uid, t->nnp ? "true" : "false", t->seccomp, t->tried, t->denied);
	print_life(t->born_from, t->born_to, t->layers, t->depth);
}

static void print_worker(const struct ring *r)
{
	printf("{\"tid\":%d,", r->tid);
	print_life(r->born_from, r->born_to, r->layers, r->depth);
}

static void print_proc(const struct proc *p)
{
	const struct task *leader = &table->task[p->task[0]];
	const char *sep = "";
	int ppid = 0;

	for (int i = 0; i < CREW_MAX; i++)
		if (p->task[i] >= 0 && table->task[p->task[i]].live)
			ppid = table->task[p->task[i]].ppid;
	printf("{\"pid\":%d,\"ppid\":%d,\"user_ns\":%llu,\"exe\":\"%s\",\"zombie_leader\":%s,"
	       "\"born_from\":%llu,\"born_to\":%llu,\"comm_hex\":\"",
	       p->tgid, ppid, (unsigned long long)p->userns, p->exe,
	       p->leader_gone ? "true" : "false", (unsigned long long)leader->born_from,
	       (unsigned long long)leader->born_to);
	print_bytes(leader->comm, sizeof(leader->comm));
	printf("\",\"tasks\":[");
	for (int i = 0; i < CREW_MAX; i++) {
		if (p->task[i] < 0 || !table->task[p->task[i]].live)
			continue;
		printf("%s", sep);
		sep = ",\n  ";
		print_task(&table->task[p->task[i]]);
	}
	printf("],\"workers\":[");
	for (int i = 0; i < p->nrings; i++) {
		printf("%s", i ? "," : "");
		print_worker(&p->ring[i]);
	}
	printf("]}");
}

static void print_list(int gone)
{
	const char *sep = "";

	for (unsigned i = 0; i < table->nprocs; i++) {
		const struct proc *p = &table->proc[i];

		if (p->gone != gone)
			continue;
		printf("%s", sep);
		sep = ",\n ";
		if (gone)
			printf("%d", p->tgid);
		else
			print_proc(p);
	}
}

// parents in the truth: who has been adopted, and by whom.
static void count_adoptions(unsigned *by_coordinator, unsigned *by_subreaper)
{
	for (unsigned i = 0; i < table->nprocs; i++) {
		const struct proc *p = &table->proc[i];

		for (unsigned j = 0; j < table->nprocs && !p->gone; j++) {
			// The creator's number is in the record: the child's
			// parent now is somebody else, so it was adopted.
			const struct proc *q = &table->proc[j];

			if (q->tgid == p->creator && q->gone &&
			    table->task[p->task[0]].live) {
				if (table->task[p->task[0]].ppid == getpid())
					++*by_coordinator;
				else
					++*by_subreaper;
			}
		}
	}
}

void forest_report(void)
{
#define X(name) #name,
	static const char *const names[] = {OPS(X)};
#undef X
	unsigned live = 0, by_coordinator = 0, by_subreaper = 0;

	await(&table->acting, 0, "processes that act");
	if (table->failed[0])
		return;
	settle();
	if (table->failed[0])
		return;
	for (unsigned i = 0; i < table->ntasks; i++)
		live += table->task[i].live;
	close(FD_GO_END);
	await(&table->reported, live, "tasks that have reported");
	if (table->failed[0])
		return;
	count_adoptions(&by_coordinator, &by_subreaper);

	printf("{\"coordinator\":%d,\"rings\":%s,\"abi\":%d,\"rights\":[%u,%u,%u],\n\"ops\":{",
	       getpid(), table->rings ? "true" : "false", table->abi, table->rights.fs, table->rights.net,
	       table->rights.scope);
	for (int i = 0; i < OP_COUNT; i++)
		printf("\"%s\":%u,", names[i], table->ops[i]);
	printf("\"adopted_by_coordinator\":%u,\"adopted_by_subreaper\":%u},\n\"layers\":[", by_coordinator,
	       by_subreaper);
	for (unsigned i = 1; i <= table->nlayers; i++)
		printf("%s[%u,%u,%u]", i > 1 ? "," : "", table->layer[i].fs,
		       table->layer[i].net, table->layer[i].scope);
	printf("],\n\"gone\":[");
	print_list(1);
	printf("],\n\"processes\":[");
	print_list(0);
	printf("]}\n");
	fflush(stdout);
}
