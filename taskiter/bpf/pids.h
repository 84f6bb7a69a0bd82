/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Numbers of processes and threads, as the PID namespace of the reader has them.
 */
#ifndef LANDLOCKD_PIDS_H
#define LANDLOCKD_PIDS_H

#define PIDTYPE_TGID 1

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

#endif
