/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The program scan: everything about every task, in one pass.
 */
#ifndef LANDLOCKD_SCAN_PROG_H
#define LANDLOCKD_SCAN_PROG_H

#define CAP_SYS_PTRACE 19
#define MMF_DUMPABLE_MASK 3
#define SUID_DUMP_USER 1

static __always_inline bool has_sys_ptrace(const struct cred *cred)
{
	if (bpf_core_field_exists(cred->cap_effective.val))
		return cred->cap_effective.val >> CAP_SYS_PTRACE & 1;
	return ((const struct cred___words *)cred)->cap_effective.cap[0] >> CAP_SYS_PTRACE & 1;
}

static __always_inline bool has_one_id(const struct cred *c)
{
	__u32 uid = c->euid.val, gid = c->egid.val;

	return c->uid.val == uid && c->suid.val == uid && c->fsuid.val == uid &&
	       c->gid.val == gid && c->sgid.val == gid && c->fsgid.val == gid;
}

static __always_inline bool has_no_caps(const struct cred *cred)
{
	const struct cred___words *words = (const void *)cred;

	if (bpf_core_field_exists(cred->cap_permitted.val))
		return !cred->cap_permitted.val;
	return !(words->cap_permitted.cap[0] | words->cap_permitted.cap[1]);
}

/* It is read behind the credentials: commit_creds() writes it before those. */
static __always_inline bool is_dumpable(struct task_struct *task, struct scratch *tmp)
{
	struct mm_struct *mm = task->mm;
	unsigned long flags = 0;

	if (!mm)
		return false;
	if (bpf_core_field_exists(mm->flags))
		flags = mm->flags;
	else if (bpf_core_field_exists(((struct mm_struct___bitmap *)mm)->flags.__mm_flags))
		flags = ((struct mm_struct___bitmap *)mm)->flags.__mm_flags[0];
	fence(tmp);
	return (flags & MMF_DUMPABLE_MASK) == SUID_DUMP_USER && task->mm == mm;
}

/*
 * The ID of a css_set's cgroup in the v1 hierarchy that names processes, 0 for none. Mostly it
 * is that of the task before, as the link to it says now: cgroup_v1(), by plain loads.
 */
static __always_inline __u64 cgroup_v1_id(struct link_memory *memory, struct css_set *set)
{
	struct kernfs_node *node;

	if (memory->link && LOAD64(struct cgrp_cset_link, memory->link, cset) == (__u64)set) {
		__u64 cgroup = LOAD64(struct cgrp_cset_link, memory->link, cgrp);
		__u64 root = LOAD64(struct cgroup, cgroup, root);

		if (LOAD32(struct cgroup_root, root, hierarchy_id) == layout.cgroup_v1)
			return LOAD64(struct kernfs_node, LOAD64(struct cgroup, cgroup, kn), id);
	}
	node = cgroup_v1(memory, set);
	return node ? BPF_CORE_READ(node, id) : 0;
}

/* Its name, by plain loads where they can be. */
static __always_inline void read_comm(struct task_record *rec, struct task_struct *task)
{
	const void *at = (const void *)task + bpf_core_field_offset(struct task_struct, comm);
	__u64 *to = (__u64 *)rec->comm;

	if (!bpf_rdonly_cast) {
		bpf_probe_read_kernel(rec->comm, sizeof(rec->comm), &task->comm);
		return;
	}
	to[0] = load64(at);
	to[1] = load64(at + sizeof(*to));
}

SEC("iter/task")
int scan(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *trusted = ctx->task, *task = plain_task(trusted);
	struct task_record rec = { .h = { RECORD_TASK, sizeof(rec) } };
	const void *domain = 0, *hierarchy = 0;
	struct signal_struct *signal;
	__u64 session;
	const struct cred *cred;
	struct control_block *ctl;
	struct scratch *tmp;
	struct css_set *set;
	__u32 owner;

	if (!trusted) {
		struct end_record end = { .h = { RECORD_END, sizeof(end) }, .pid_level = layout.pid_level };

		bpf_seq_write(seq, &end, sizeof(end));
		return 0;
	}
	rec.flags = task->flags;
	if (rec.flags & PF_KTHREAD)
		return 0;
	ctl = get_control();
	tmp = get_scratch();
	if (!ctl || !tmp)
		return 0;
	warm(task, ctl->num_objects || tmp->rooted);
	read_pids(&rec, task);
	if (ctl->selected) {
		__u32 bit = (__u32)rec.pid % PID_SLOTS;

		if (!(ctl->wanted[bit / 8] & (1 << (bit % 8))))
			return 0;
	}

	/*
	 * The process's thread count, exec count and the count of changes under
	 * stats_lock, in which threads go, are read before and behind the
	 * credentials: if they stay the same over all records of a process, then
	 * its set of threads did. An odd count is a thread that is just going.
	 */
	signal = task->signal;
	rec.exits = signal->stats_lock.seqcount.seqcount.sequence;
	rec.nr_threads = signal->nr_threads;
	rec.exec_id = task->self_exec_id;
	fence(tmp);

	cred = task->real_cred;
	rec.euid = cred->euid.val;
	rec.egid = cred->egid.val;
	owner = owner_of(cred);
	rec.account = owner ? owner : cred->uid.val;
	rec.user_ns = cred->user_ns->ns.inum;
	if (owner)
		rec.bits |= TASK_OWNED;
	if (has_sys_ptrace(cred))
		rec.bits |= TASK_SYS_PTRACE;
	if (has_one_id(cred))
		rec.bits |= TASK_ONE_ID;
	if (has_no_caps(cred))
		rec.bits |= TASK_NO_CAPS;
	if (layout.landlock) {
		domain = (void *)load64(cred->security + layout.blob);
		if (domain) {
			hierarchy = (void *)load64(domain + layout.hierarchy);
			if (hierarchy)
				rec.domain = domain_key(hierarchy);
			rec.depth = load32(domain + layout.num_layers);
		}
	}
	fence(tmp);
	if (is_dumpable(task, tmp))
		rec.bits |= TASK_DUMPABLE;
	rec.exit_state = task->exit_state;
	/* It has gone, and is only found because a pass may be that late. */
	if (!task->sighand)
		return 0;
	fence(tmp);
	if (rec.exits % 2 || rec.exits != signal->stats_lock.seqcount.seqcount.sequence ||
	    rec.nr_threads != signal->nr_threads || rec.exec_id != task->self_exec_id)
		rec.bits |= TASK_TORN;

	if (task->group_leader == task)
		rec.bits |= TASK_LEADER;
	if (task->atomic_flags & PFA_NO_NEW_PRIVS)
		rec.bits |= TASK_NO_NEW_PRIVS;
	if (!task->mm || rec.flags & PF_EXITING)
		rec.bits |= TASK_LEAVING;
	rec.start = task->start_boottime;
	rec.mnt_ns_owner = task->nsproxy->mnt_ns->user_ns->ns.inum;
	if (bpf_core_field_exists(task->seccomp.mode))
		rec.seccomp = task->seccomp.mode;
	set = task->cgroups;
	rec.cgroup = set->dfl_cgrp->kn->id;
	/* Of a leader that exits, v1 no longer says where it was. */
	if (layout.cgroup_v1 && (rec.bits & TASK_LEADER || task->group_leader->flags & PF_EXITING))
		rec.cgroup_v1 = cgroup_v1_id(&tmp->v1, set);
	read_comm(&rec, task);

	if (rec.exit_state)
		hierarchy = 0; /* what a dead task is in is nobody's */
	if (put_exe(seq, ctl, tmp, trusted, &rec))
		return 0;
	session = ctx->meta->session_id;
	if (hierarchy && layout.views && put_view(seq, ctl, tmp, session, task, cred, domain, &rec))
		return 0;
	note_resolver(ctl, task, &rec);
	if (hierarchy && layout.views)
		rec.space = space_number(ctl, tmp, task, &rec, session);
	if (layout.landlock && rec.flags & layout.workers)
		rec.acting = acting_key(task);
	/* The others are about what it does at this moment: two scans would never be alike. */
	rec.flags &= layout.workers;
	if (bpf_seq_write(seq, &rec, sizeof(rec)))
		return 0;
	if (hierarchy)
		put_domains(seq, session, domain, hierarchy, task, ctl, tmp, &rec);
	return 0;
}

#endif
