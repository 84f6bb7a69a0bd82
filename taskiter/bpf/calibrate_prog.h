/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The program calibrate: finds Landlock's part of the credentials and of an inode's
 * blob, and the depth of the reader's PID namespace.
 */
#ifndef LANDLOCKD_CALIBRATE_PROG_H
#define LANDLOCKD_CALIBRATE_PROG_H

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
	rec->signs = signs_of(hierarchy);
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
	task = plain_task(task);
	ctl = get_control();
	if (!ctl || !layout.landlock)
		return 0;
	/* kthreadd, of which every host's initial PID namespace has one */
	kthread = (task->flags & PF_KTHREAD) && task->pid == 2;
	tid = pid_number(LOAD64(struct task_struct, task, thread_pid), task, level);
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

#endif
