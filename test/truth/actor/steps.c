// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"
#include "rng.h"
#include "roots.h"
#include "sys.h"

uint64_t ns_inode(const char *link)
{
	char text[64] = {0}, *open;

	if (readlink(link, text, sizeof(text) - 1) < 0)
		return 0;
	open = strchr(text, '[');
	return open ? strtoull(open + 1, NULL, 10) : 0;
}

static void count_mask(struct ll_mask m)
{
	if (!m.net && !m.scope)
		table_count(OP_mask_fs);
	else if (!m.fs && !m.scope)
		table_count(OP_mask_net);
	else if (!m.fs && !m.net)
		table_count(OP_mask_scope);
	else
		table_count(OP_mask_mixed);
}

// restrict_once adds one layer to the calling thread.
static void restrict_once(struct task *t)
{
	struct ll_mask m = ll_random(table->rights, &self->rng, 0);
	struct ll_rule rules[MAX_RULES];
	uint8_t had = t->nnp;
	uint32_t id;
	int err, n;

	if (table->abi < 1)
		return;
	if (t->depth == LL_MAX_DEPTH) {
		// Before ABI 2 the kernel's limit is 64, and this would succeed.
		if (table->abi < 2)
			return;
		err = ll_restrict(m, NULL, 0, &t->nnp);
		if (err != E2BIG)
			die("layer %d: got %s, want E2BIG", t->depth + 1, strerror(err));
		table_count(OP_restrict_beyond_limit);
		return;
	}
	id = 1 + table_take(&table->nlayers, MAX_LAYERS - 1);
	table->layer[id] = m;
	n = root_rules(rules, m.fs);
	err = ll_restrict(m, rules, n, &t->nnp);
	while (n-- > 0)
		close(rules[n].fd);
	if (err)
		die("restrict to %x %x %x: %s", m.fs, m.net, m.scope, strerror(err));
	t->layers[t->depth++] = id;
	count_mask(m);
	table_count(t->nnp ? OP_restrict_with_no_new_privs : OP_restrict_with_capability);
	if (!had && t->nnp)
		table_count(OP_no_new_privs);
	if (self->nrings)
		table_count(OP_restrict_after_ring);
	if (t->depth == LL_MAX_DEPTH)
		table_count(OP_restrict_to_limit);
}

static void restrict_some(int me)
{
	uint32_t kind = rng_below(&self->rng, 20);
	// Most sandboxes have one layer; a few go to the limit and beyond.
	int n = kind < 13 ? 1 : kind < 19 ? 2 + (int)rng_below(&self->rng, 3) : LL_MAX_DEPTH + 1;

	if (crew_live() == 1 && crew_alive(0))
		table_count(OP_restrict_single);
	else
		table_count(me ? OP_restrict_thread : OP_restrict_leader);
	while (n-- > 0)
		restrict_once(task_of(me));
}

// links are the names under which the binary is executed. The last is longer
// than comm can hold.
static const char *const links[] = {"ld-alder", "ld-birch", "ld-cedar", "ld-douglas-fir-and-larch"};

static int siblings(void)
{
	for (int i = crew_after(-1); i >= 0; i = crew_after(i))
		for (int j = crew_after(i); j >= 0; j = crew_after(j)) {
			struct task *a = task_of(i), *b = task_of(j);

			if (a->depth && a->depth == b->depth &&
			    a->layers[a->depth - 1] != b->layers[b->depth - 1])
				return 1;
		}
	return 0;
}

static void exec_link(int me)
{
	const char *name = links[rng_below(&self->rng, 4)];
	struct task *t = task_of(me);
	char proc[16], task[16];
	char *argv[] = {(char *)name, "--resume", proc, task, NULL};

	snprintf(proc, sizeof(proc), "%d", (int)(self - table->proc));
	snprintf(task, sizeof(task), "%d", (int)(t - table->task));
	snprintf(self->exe, sizeof(self->exe), "%s", name);
	memset(t->comm, 0, sizeof(t->comm));
	memcpy(t->comm, name, strnlen(name, sizeof(t->comm) - 1));
	table_count(OP_exec);
	if (crew_live() > 1)
		table_count(OP_exec_with_threads);
	if (me) {
		table_count(OP_exec_from_thread);
		if (siblings())
			table_count(OP_exec_from_thread_with_siblings);
	}
	if (!crew_alive(0))
		table_count(OP_exec_after_leader_exit);
	sys_exec(name, argv);
	die("execute %s: %m", name);
}

static void seccomp_allow_all(struct task *t)
{
	struct sock_filter allow = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
	struct sock_fprog prog = {.len = 1, .filter = &allow};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog)) {
		if (errno != EACCES)
			return; // a kernel without filters
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			die("no_new_privs: %m");
		t->nnp = 1;
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
			die("seccomp: %m");
	}
	t->seccomp = SECCOMP_MODE_FILTER;
	table_count(crew_live() > 1 ? OP_seccomp_of_thread : OP_seccomp);
}

static void set_comm(struct task *t)
{
	// Hostile names, too: each must come out byte by byte.
	static const char *const names[] = {"worker", "a b) S 1 (c", "x\ny\tz", "\xff\xfe\"\\{}", "0123456789abcde"};
	const char *name = names[rng_below(&self->rng, 5)];

	if (prctl(PR_SET_NAME, name))
		die("set comm: %m");
	memset(t->comm, 0, sizeof(t->comm));
	memcpy(t->comm, name, strlen(name));
	table_count(OP_comm);
}

// set_uid changes the user of one thread.
static void set_uid(struct task *t)
{
	uid_t uid = 20000 + rng_below(&self->rng, 1000);

	// Fails for all but root, and where the user namespace maps nobody.
	if (syscall(SYS_setresuid, uid, uid, uid))
		return;
	t->uid = uid;
	table_count(crew_live() > 1 ? OP_setresuid_of_thread : OP_setresuid);
}

static void new_userns(void)
{
	// Fails where the host forbids it. The user stays who it was: nothing is
	// mapped, and that changes names, not identities.
	if (unshare(CLONE_NEWUSER))
		return;
	self->userns = ns_inode("/proc/self/ns/user");
	if (!self->userns)
		die("read the new user namespace: %m");
	table_count(OP_user_namespace);
}

// leave ends one thread; somebody else goes on with the plan.
static void leave(int me, enum op_kind op)
{
	int next = crew_pick(rng_below(&self->rng, crew_live() - 1), me);

	task_of(me)->live = 0;
	if (me == 0)
		self->leader_gone = 1;
	self->op = STEP_NONE;
	table_count(op);
	crew_leave(me, next);
}

static void end(void)
{
	for (int i = 0; i < CREW_MAX; i++)
		if (self->task[i] >= 0)
			table->task[self->task[i]].live = 0;
	self->gone = 1;
	table_count(OP_process_exit);
	if (self->children)
		table_count(OP_process_exit_with_children);
	if (crew_live() > 1)
		table_count(OP_process_exit_with_threads);
	__atomic_fetch_sub(&table->acting, 1, __ATOMIC_SEQ_CST);
	futex_wake(&table->acting);
	_exit(0);
}

static void spawn(int me, unsigned long flags, enum op_kind op)
{
	uint32_t share = 1 + rng_below(&self->rng, (self->budget + 1) / 2);

	self->budget -= share;
	self->children++;
	forest_spawn(flags, self, task_of(me), rng_next(&self->rng), share);
	table_count(op);
}

int step_do(enum step step, int me)
{
	switch (step) {
	case STEP_FORK:
		spawn(me, 0, OP_fork);
		break;
	case STEP_CLONE_PARENT:
		spawn(me, CLONE_PARENT, OP_clone_parent);
		break;
	case STEP_THREAD:
		forest_prepare_thread(me, crew_ever());
		crew_add(me);
		table_count(OP_thread);
		break;
	case STEP_RESTRICT:
		restrict_some(me);
		break;
	case STEP_RESTRICT_ALL:
		restrict_once(task_of(me));
		if (crew_after(me) >= 0)
			return crew_after(me);
		table_count(OP_restrict_all_threads);
		break;
	case STEP_EXEC:
	case STEP_EXEC_THREAD:
		exec_link(me);
		break;
	case STEP_THREAD_EXIT:
		leave(me, OP_thread_exit);
		break;
	case STEP_LEADER_EXIT:
		leave(me, OP_leader_exit);
		break;
	case STEP_COMM:
		set_comm(task_of(me));
		break;
	case STEP_NNP:
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			die("no_new_privs: %m");
		task_of(me)->nnp = 1;
		table_count(crew_live() > 1 ? OP_no_new_privs_of_thread : OP_no_new_privs);
		break;
	case STEP_SECCOMP:
		seccomp_allow_all(task_of(me));
		break;
	case STEP_SETRESUID:
		set_uid(task_of(me));
		break;
	case STEP_USERNS:
		new_userns();
		break;
	case STEP_SUBREAPER:
		if (prctl(PR_SET_CHILD_SUBREAPER, 1))
			die("subreaper: %m");
		self->subreaper = 1;
		table_count(OP_subreaper);
		break;
	case STEP_RING:
		ring_make(self, task_of(me));
		break;
	case STEP_ROOT:
		root_change();
		break;
	case STEP_ROOT_ALONE:
		root_change_alone();
		break;
	case STEP_MOUNT:
		root_mount();
		break;
	case STEP_RENAME:
		root_rename();
		break;
	case STEP_EXIT:
		end();
		break;
	case STEP_NONE:
		break;
	}
	return -1;
}
