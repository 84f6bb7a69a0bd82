/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What a task iterator costs at least: three that are measured beside the program scan
 * of taskiter. They are compiled as that is, with its types of the kernel and its record.
 */
#include <stdbool.h>
#include "types.h"
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "record.h"

#define PF_KTHREAD 0x00200000

/* Where Landlock's part of the credentials is, in bytes; taskiter finds it. ABSENT: there is none. */
volatile const __u32 blob = ABSENT;

/* The v1 hierarchy that names processes; 0: none does. */
volatile const __u32 hierarchy_v1 = 0;

/* Landlock's types, as far as they are read: landlock_domain from Linux 7.3 on. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct landlock_hierarchy {
	__u64 id;
};

struct landlock_ruleset {
	struct landlock_hierarchy *hierarchy;
	__u32 num_layers;
};

struct landlock_domain {
	struct landlock_hierarchy *hierarchy;
	__u32 num_layers;
};

struct landlock_cred_security {
	void *domain;
};
#pragma clang attribute pop

/* What it points to is read by plain loads; a bad address gives zeros. From Linux 6.2 on. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;
#define AS(type, pointer) ((type *)bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(type)))

/* Nothing: what the kernel takes to go through its tasks. */
SEC("iter/task")
int empty(struct bpf_iter__task *ctx)
{
	return 0;
}

/* Reads nothing of a task but whether it is the kernel's own, and returns as many bytes. */
SEC("iter/task")
int bare(struct bpf_iter__task *ctx)
{
	struct task_record rec = { .h = { RECORD_TASK, sizeof(rec) } };
	struct task_struct *task = ctx->task;

	if (task && !(task->flags & PF_KTHREAD))
		bpf_seq_write(ctx->meta->seq, &rec, sizeof(rec));
	return 0;
}

static __always_inline void read_domain(struct task_record *rec, const struct cred *cred)
{
	struct landlock_hierarchy *hierarchy;
	void *domain;

	domain = AS(struct landlock_cred_security, cred->security + blob)->domain;
	if (!domain)
		return;
	if (bpf_core_type_exists(struct landlock_domain)) {
		struct landlock_domain *d = AS(struct landlock_domain, domain);

		hierarchy = d->hierarchy;
		rec->depth = d->num_layers;
	} else {
		struct landlock_ruleset *d = AS(struct landlock_ruleset, domain);

		hierarchy = d->hierarchy;
		rec->depth = d->num_layers;
	}
	if (bpf_core_field_exists(hierarchy->id))
		rec->domain = AS(struct landlock_hierarchy, hierarchy)->id;
	else
		rec->domain = (__u64)hierarchy;
}

#define HIERARCHIES 20

/* The link to a cgroup of the v1 hierarchy that was found last: neighbours share css_sets. */
static __u64 last_link;

static __always_inline bool is_named_by(struct cgrp_cset_link *link, struct css_set *set)
{
	return link->cset == set && link->cgrp->root->hierarchy_id == hierarchy_v1;
}

static __always_inline __u64 cgroup_v1(struct css_set *set)
{
	struct cgrp_cset_link *link = AS(struct cgrp_cset_link, (void *)last_link);
	struct list_head *at = set->cgrp_links.next;
	int i;

	for (i = 0; i < HIERARCHIES && !is_named_by(link, set); i++) {
		link = AS(struct cgrp_cset_link,
			  (void *)at - bpf_core_field_offset(struct cgrp_cset_link, cgrp_link));
		at = at->next;
	}
	if (i == HIERARCHIES)
		return 0;
	last_link = (__u64)link;
	return link->cgrp->kn->id;
}

/*
 * The facts of a task record, each read once, where it is, by a plain load: without fences,
 * counts that are compared, tables, budgets, or anything of domains, executables and assets.
 */
SEC("iter/task")
int reference(struct bpf_iter__task *ctx)
{
	struct task_record rec = { .h = { RECORD_TASK, sizeof(rec) } };
	struct task_struct *task = ctx->task;
	struct signal_struct *signal;
	const struct cred *cred;
	struct mm_struct *mm;

	if (!task)
		return 0;
	rec.flags = task->flags;
	if (rec.flags & PF_KTHREAD)
		return 0;
	rec.tid = task->pid;
	rec.pid = task->tgid;
	rec.ppid = task->real_parent->tgid;
	rec.start = task->start_boottime;
	rec.exec_id = task->self_exec_id;
	rec.exit_state = task->exit_state;
	if (!task->sighand)
		return 0;

	signal = task->signal;
	rec.exits = signal->stats_lock.seqcount.seqcount.sequence;
	rec.nr_threads = signal->nr_threads;

	cred = task->real_cred;
	rec.euid = cred->euid.val;
	rec.egid = cred->egid.val;
	rec.account = cred->uid.val;
	rec.user_ns = cred->user_ns->ns.inum;
	if (cred->cap_effective.val)
		rec.bits |= TASK_SYS_PTRACE;
	if (!cred->cap_permitted.val)
		rec.bits |= TASK_NO_CAPS;
	if (cred->uid.val == cred->suid.val && cred->uid.val == cred->fsuid.val &&
	    cred->gid.val == cred->sgid.val && cred->gid.val == cred->fsgid.val)
		rec.bits |= TASK_ONE_ID;
	if (blob != ABSENT)
		read_domain(&rec, cred);

	mm = task->mm;
	if (mm && bpf_core_field_exists(mm->flags) && mm->flags & 1)
		rec.bits |= TASK_DUMPABLE;
	if (mm && bpf_core_field_exists(((struct mm_struct___bitmap *)mm)->flags.__mm_flags) &&
	    ((struct mm_struct___bitmap *)mm)->flags.__mm_flags[0] & 1)
		rec.bits |= TASK_DUMPABLE;
	if (task->group_leader == task)
		rec.bits |= TASK_LEADER;
	if (task->atomic_flags & 1)
		rec.bits |= TASK_NO_NEW_PRIVS;
	if (bpf_core_field_exists(task->seccomp.mode))
		rec.seccomp = task->seccomp.mode;
	rec.mnt_ns_owner = task->nsproxy->mnt_ns->user_ns->ns.inum;
	rec.cgroup = task->cgroups->dfl_cgrp->kn->id;
	if (hierarchy_v1 && rec.bits & TASK_LEADER)
		rec.cgroup_v1 = cgroup_v1(task->cgroups);
	__builtin_memcpy(rec.comm, task->comm, sizeof(rec.comm));
	bpf_seq_write(ctx->meta->seq, &rec, sizeof(rec));
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
