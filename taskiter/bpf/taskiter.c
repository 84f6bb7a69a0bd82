/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Three task iterators: scan, which returns everything about every task in one
 * pass; rules (rules.h), which returns the rules of some tasks' domains; and
 * calibrate, which finds Landlock's part of the credentials blob and the depth
 * of the reader's PID namespace.
 *
 * An iterator's program runs in an RCU read-side critical section, and both
 * credentials and what hangs on them (the blob, the domain, its hierarchy) are
 * freed behind one: what is reached from real_cred stays valid for one call.
 */
#include <stdbool.h>
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "record.h"

char LICENSE[] SEC("license") = "GPL";

#define PF_KTHREAD 0x00200000
#define PF_EXITING 0x00000004
#define PFA_NO_NEW_PRIVS 1
#define PIDTYPE_TGID 1
#define CAP_SYS_PTRACE 19
#define MAX_HIERARCHIES_V1 20

volatile const struct domain_layout layout = {};

const union described *described SEC(".described") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control_block);
} control SEC(".maps");

/* Which pass last returned a domain. Forgetting only repeats a record. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, __u64);
} seen SEC(".maps");

/*
 * Where the way up from a task's root directory is. It is in a map, as is all that
 * loops decide by: before Linux 6.8 the verifier takes a loop's body to see only
 * the values that its context has at first, if they are constant, and drops what
 * is for others.
 */
struct ascent {
	__u64 dentry;
	__u64 mnt;
	__u64 tree;   /* root of the domain's rules on inodes; 0: they are not searched */
	__u64 way;    /* stands for all that it led through */
	__u32 hidden; /* 1: a mount hides the directory that it has come to */
	__u32 view;   /* enum view, at its end */
	__u32 met;    /* 1: it came to until */
	__u32 spare;
	struct {      /* where it ends, if it comes there; 0: at the top alone */
		__u64 dentry;
		__u64 mnt;
	} until;
};

/*
 * What is too large for the stack, or kept from task to task. A pass never runs
 * beside another: user space waits.
 */
struct scratch {
	struct exe_record exe;
	/*
	 * The spare bytes are for the verifier, which bounds the sum before it is
	 * rounded; a test of the rounded size makes that of Linux 6.17 and 6.18 warn.
	 */
	char path[EXE_MAX + 8];
	struct grants_record grants;
	__u32 everywhere[RULE_LAYERS];
	struct ascent ascent;
	/* the link between a css_set and its cgroup in the v1 hierarchy, last found */
	struct cgrp_cset_link *v1;
	__u64 fence;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline struct control_block *get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/*
 * Nothing is read later that stands in front of it, nor the other way round. An
 * atomic operation whose result is used is the one full barrier that BPF has.
 */
static __always_inline void fence(struct scratch *tmp)
{
	if (layout.fence && __sync_fetch_and_add(&tmp->fence, 1) == ~0ULL)
		tmp->fence = 0;
	asm volatile("" ::: "memory");
}

static __always_inline struct scratch *get_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

#define READ(dst, src) bpf_probe_read_kernel(&(dst), sizeof(dst), (const void *)(src))

#include "views.h"

/*
 * The number of a struct pid in the reader's PID namespace, which is that of
 * the visited task at the reader's level; 0 if it has none there.
 */
static __always_inline __s32 pid_number(struct pid *pid, struct task_struct *visited, __u32 level)
{
	struct upid *at, *ours;
	__u64 off = bpf_core_field_offset(struct pid, numbers) +
		    (__u64)level * bpf_core_type_size(struct upid);

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	at = (void *)pid + off;
	ours = (void *)BPF_CORE_READ(visited, thread_pid) + off;
	if (BPF_CORE_READ(at, ns) != BPF_CORE_READ(ours, ns))
		return 0;
	return BPF_CORE_READ(at, nr);
}

static __always_inline void read_pids(struct task_record *rec, struct task_struct *task)
{
	if (!layout.pid_level) {
		rec->tid = task->pid;
		rec->pid = task->tgid;
		rec->ppid = task->real_parent->tgid;
		return;
	}
	rec->tid = pid_number(BPF_CORE_READ(task, thread_pid), task, layout.pid_level);
	rec->pid = pid_number(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]), task, layout.pid_level);
	rec->ppid = pid_number(BPF_CORE_READ(task, real_parent, signal, pids[PIDTYPE_TGID]), task,
			       layout.pid_level);
}

static __always_inline bool names_processes(struct cgrp_cset_link *link, struct css_set *set)
{
	return BPF_CORE_READ(link, cset) == set &&
	       BPF_CORE_READ(link, cgrp, root, hierarchy_id) == layout.cgroup_v1;
}

/*
 * The ID of a css_set's cgroup in the v1 hierarchy that names processes. Tasks
 * that stand together share css_sets: the link that was found last is tried
 * first, by what it says now.
 */
static __always_inline __u64 cgroup_v1(struct scratch *tmp, struct css_set *set)
{
	struct list_head *head = (void *)set + bpf_core_field_offset(struct css_set, cgrp_links);
	struct cgrp_cset_link *last = tmp->v1;
	struct list_head *at;
	int i;

	if (last && names_processes(last, set))
		return BPF_CORE_READ(last, cgrp, kn, id);
	at = BPF_CORE_READ(head, next);
	for (i = 0; i < MAX_HIERARCHIES_V1 && at && at != head; i++) {
		struct cgrp_cset_link *link =
			(void *)at - bpf_core_field_offset(struct cgrp_cset_link, cgrp_link);

		if (names_processes(link, set)) {
			tmp->v1 = link;
			return BPF_CORE_READ(link, cgrp, kn, id);
		}
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

static __always_inline __u64 domain_key(const void *hierarchy)
{
	__u64 id = 0;

	if (layout.id == ABSENT || layout.derive)
		return (__u64)hierarchy;
	READ(id, hierarchy + layout.id);
	return id;
}

static __always_inline __u32 layer_mask(const void *domain, __u32 layer)
{
	const void *at = domain + layout.masks + (__u64)layer * layout.mask_size;

	if (layout.mask_size == 2) {
		__u16 m = 0;

		READ(m, at);
		return m;
	} else {
		__u32 m = 0;

		READ(m, at);
		return m;
	}
}

static __always_inline void read_creator(struct domain_record *rec, const void *hierarchy,
					 struct task_struct *visited)
{
	const void *details = 0;
	struct pid *pid = 0;

	if (layout.details == ABSENT)
		return;
	READ(details, hierarchy + layout.details);
	if (!details)
		return;
	READ(pid, details + layout.creator_pid);
	READ(rec->creator_uid, details + layout.creator_uid);
	READ(rec->creator_comm, details + layout.creator_comm);
	rec->creator_pid = pid_number(pid, visited, layout.pid_level);
}

static __always_inline int put_domain(struct seq_file *seq, const void *domain, const void *hierarchy,
				      __u32 depth, __u32 num_rules, struct task_struct *visited)
{
	struct domain_record rec = {
		.h = { RECORD_DOMAIN, sizeof(rec) },
		.depth = depth,
		.num_rules = num_rules,
	};
	const void *parent = 0;

	rec.key = domain_key(hierarchy);
	READ(parent, hierarchy + layout.parent);
	rec.parent = parent ? domain_key(parent) : 0;
	rec.mask = layer_mask(domain, depth - 1);
	if (layout.log_status != ABSENT) {
		__u32 status = 0;

		READ(status, hierarchy + layout.log_status);
		rec.log_status = status;
	}
	if (layout.denials != ABSENT)
		READ(rec.denials, hierarchy + layout.denials);
	read_creator(&rec, hierarchy, visited);
	return bpf_seq_write(seq, &rec, sizeof(rec));
}

/*
 * Returns the domain and all that it is nested in, but for those that this
 * pass has returned. The pass is marked in a second walk: a full buffer throws
 * away what this call wrote and calls again, so that a mark must not come
 * before the last write.
 *
 * mark is odd for a domain that a task is in itself: only then the number of
 * its rules is at hand. An account that has had its share has no more described.
 */
static __always_inline int put_domains(struct seq_file *seq, __u64 session, const void *domain,
				       const void *innermost, struct task_struct *visited,
				       struct control_block *ctl, const struct task_record *rec)
{
	struct spent *spent;
	__u64 mark = session * 2;
	const void *hierarchy = innermost;
	__u32 num_layers = 0, num_rules = ABSENT, depth;
	__u64 key, *last;
	int i;

	key = domain_key(innermost);
	last = bpf_map_lookup_elem(&seen, &key);
	if (last && *last == mark + 1)
		return 0;
	spent = get_spent(ctl, rec, session);
	if (!spent || spent->domains >= ctl->max_domains[is_favoured(ctl, rec) & 1])
		return 0;

	READ(num_layers, domain + layout.num_layers);
	if (layout.num_rules != ABSENT)
		READ(num_rules, domain + layout.num_rules);

	for (i = 0, depth = num_layers; i < layout.max_layers && depth > 0 && hierarchy; i++, depth--) {
		if (i > 0) {
			key = domain_key(hierarchy);
			last = bpf_map_lookup_elem(&seen, &key);
			if (last && *last / 2 == session)
				break;
		}
		if (put_domain(seq, domain, hierarchy, depth, i ? ABSENT : num_rules, visited))
			return 1;
		READ(hierarchy, hierarchy + layout.parent);
	}

	hierarchy = innermost;
	for (i = 0, depth = num_layers; i < layout.max_layers && depth > 0 && hierarchy; i++, depth--) {
		__u64 now = i ? mark : mark + 1;

		key = domain_key(hierarchy);
		last = bpf_map_lookup_elem(&seen, &key);
		if (last && i > 0 && *last / 2 == session)
			break;
		if (!last || *last / 2 != session)
			spent->domains++;
		if (last)
			*last = now;
		else
			bpf_map_update_elem(&seen, &key, &now, BPF_ANY);
		READ(hierarchy, hierarchy + layout.parent);
	}
	return 0;
}

#include "exe.h"

/* Returns the key of the domain that a thread acts in. */
static __always_inline __u64 acting_key(struct task_struct *task)
{
	const void *domain = 0, *hierarchy = 0;

	READ(domain, BPF_CORE_READ(task, cred, security) + layout.blob);
	if (domain)
		READ(hierarchy, domain + layout.hierarchy);
	return hierarchy ? domain_key(hierarchy) : 0;
}

/* Notes how long a call took, if none took longer. */
static __always_inline void note_time(struct control_block *ctl, __u32 program, __u64 began)
{
	__u64 took = bpf_ktime_get_ns() - began;

	if (program < NUM_PROGRAMS && ctl->longest_ns[program] < took)
		ctl->longest_ns[program] = took;
}

static __always_inline bool has_sys_ptrace(const struct cred *cred)
{
	if (bpf_core_field_exists(cred->cap_effective.val))
		return cred->cap_effective.val >> CAP_SYS_PTRACE & 1;
	return ((const struct cred___words *)cred)->cap_effective.cap[0] >> CAP_SYS_PTRACE & 1;
}

SEC("iter/task")
int scan(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct task_record rec = { .h = { RECORD_TASK, sizeof(rec) } };
	const void *domain = 0, *hierarchy = 0;
	struct signal_struct *signal;
	__u64 began = 0, session;
	const struct cred *cred;
	struct control_block *ctl;
	struct scratch *tmp;
	struct css_set *set;

	if (!task) {
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
	rec.account = account_of(cred);
	rec.user_ns = cred->user_ns->ns.inum;
	if (has_sys_ptrace(cred))
		rec.bits |= TASK_SYS_PTRACE;
	if (layout.landlock) {
		READ(domain, cred->security + layout.blob);
		if (domain) {
			__u32 depth = 0;

			READ(hierarchy, domain + layout.hierarchy);
			if (hierarchy)
				rec.domain = domain_key(hierarchy);
			READ(depth, domain + layout.num_layers);
			rec.depth = depth;
		}
	}
	fence(tmp);
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
		rec.cgroup_v1 = cgroup_v1(tmp, set);
	bpf_probe_read_kernel(rec.comm, sizeof(rec.comm), &task->comm);

	if (rec.exit_state)
		hierarchy = 0; /* what a dead task is in is nobody's */
	if (hierarchy)
		began = bpf_ktime_get_ns();
	if (put_exe(seq, ctl, tmp, task, &rec))
		return 0;
	session = ctx->meta->session_id;
	if (hierarchy && layout.views && put_view(seq, ctl, tmp, session, task, cred, domain, &rec))
		return 0;
	if (layout.landlock && rec.flags & layout.workers)
		rec.acting = acting_key(task);
	if (bpf_seq_write(seq, &rec, sizeof(rec)))
		return 0;
	if (hierarchy) {
		put_domains(seq, session, domain, hierarchy, task, ctl, &rec);
		note_time(ctl, PROGRAM_SCAN, began);
	}
	return 0;
}

#include "rules.h"

/*
 * What is at an address if a domain is there: its layers, its innermost masks,
 * and how many hierarchies it is nested in. A global function, because that is
 * verified once and not for each slot.
 */
__noinline int read_slot(struct slot_record *rec, __u64 at)
{
	const void *domain = (const void *)at, *hierarchy = 0;
	__u32 n = 0;
	int i;

	if (!rec || READ(n, domain + layout.num_layers) || !n || n > layout.max_layers)
		return 0;
	rec->num_layers = n;
	for (i = 0; i < HELPER_LAYERS && i < n; i++)
		rec->masks[i] = layer_mask(domain, n - 1 - i);
	READ(hierarchy, domain + layout.hierarchy);
	for (i = 0; i <= layout.max_layers && hierarchy; i++) {
		const void *parent = 0;

		if (READ(parent, hierarchy + layout.parent))
			break;
		rec->chain++;
		hierarchy = parent;
	}
	return 0;
}

/* Where in the blob of a helper's root directory's inode its object may be. */
static __always_inline int put_objects(struct seq_file *seq, struct task_struct *task, __s32 tid)
{
	struct inode *inode = BPF_CORE_READ(task, fs, root.dentry, d_inode);
	const void *blob = BPF_CORE_READ(inode, i_security);
	__u32 slot;

	for (slot = 0; slot < SLOTS; slot++) {
		struct object_record rec = { .h = { RECORD_OBJECT, sizeof(rec) }, .tid = tid, .slot = slot };
		__u64 object = 0, back = 0;

		if (blob && !READ(object, blob + slot * 8) && object && !READ(back, object + rules_layout.inode))
			rec.proven = back == (__u64)inode;
		if (bpf_seq_write(seq, &rec, sizeof(rec)))
			return 1;
	}
	return 0;
}

SEC("iter/task")
int calibrate(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct task_struct *reader = (void *)bpf_get_current_task();
	__u32 level = BPF_CORE_READ(reader, thread_pid, level);
	const void *blob;
	struct control_block *ctl;
	__s32 tid;
	__u32 slot, kthread;

	if (!task) {
		struct end_record end = { .h = { RECORD_END, sizeof(end) }, .pid_level = level };

		bpf_seq_write(seq, &end, sizeof(end));
		return 0;
	}
	ctl = get_control();
	if (!ctl || !layout.landlock)
		return 0;
	/* kthreadd, of which every host's initial PID namespace has one */
	kthread = (task->flags & PF_KTHREAD) && task->pid == 2;
	tid = pid_number(BPF_CORE_READ(task, thread_pid), task, level);
	if (!kthread && tid != ctl->helpers[0] && tid != ctl->helpers[1] && tid != ctl->helpers[2])
		return 0;
	if (tid == ctl->helpers[0] && put_objects(seq, task, tid))
		return 0;
	blob = task->real_cred->security;

	for (slot = 0; slot < SLOTS; slot++) {
		struct slot_record rec = {
			.h = { RECORD_SLOT, sizeof(rec) },
			.tid = tid,
			.slot = slot,
			.kthread = kthread,
		};
		__u64 domain = 0;

		if (!READ(domain, blob + slot * 8) && domain) {
			rec.set = 1;
			read_slot(&rec, domain);
		}
		if (bpf_seq_write(seq, &rec, sizeof(rec)))
			return 0;
	}
	return 0;
}
