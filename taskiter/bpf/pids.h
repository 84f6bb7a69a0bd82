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
static __always_inline __s32 pid_number(__u64 pid, struct task_struct *visited, __u32 level)
{
	__u64 off = bpf_core_field_offset(struct pid, numbers) +
		    (__u64)level * bpf_core_type_size(struct upid);
	__u64 at = pid + off, ours = LOAD64(struct task_struct, visited, thread_pid) + off;

	if (!pid || LOAD32(struct pid, pid, level) < level ||
	    LOAD64(struct upid, at, ns) != LOAD64(struct upid, ours, ns))
		return 0;
	return LOAD32(struct upid, at, nr);
}

static __always_inline __s32 tid_of(struct task_struct *task)
{
	__u32 level = layout.pid_level;

	return level ? pid_number(LOAD64(struct task_struct, task, thread_pid), task, level) : task->pid;
}

static __always_inline __u64 tgid_of(struct signal_struct *signal)
{
	return LOAD64(struct signal_struct, signal, pids[PIDTYPE_TGID]);
}

static __always_inline void read_pids(struct task_record *rec, struct task_struct *task)
{
	__u32 level = layout.pid_level;

	rec->tid = tid_of(task);
	if (!level) {
		rec->pid = task->tgid;
		rec->ppid = task->real_parent->tgid;
		return;
	}
	rec->pid = pid_number(tgid_of(task->signal), task, level);
	rec->ppid = pid_number(tgid_of(task->real_parent->signal), task, level);
}

#endif
