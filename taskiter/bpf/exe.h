/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The path of a process's executable.
 */
#ifndef LANDLOCKD_EXE_H
#define LANDLOCKD_EXE_H

#define ENAMETOOLONG 36

/* What names a program: a process and its exec count. user space: exeTag(). */
static __always_inline __u32 exe_tag(__u64 start, __u64 exec_id)
{
	return ((__u32)start ^ (__u32)(start >> 32) ^ ((__u32)exec_id * 0x9e3779b1U)) | 1;
}

static __always_inline bool is_exe_known(const struct control_block *ctl, __u32 pid, __u32 tag)
{
	const __u32 *set = ctl->exe_known[pid % EXE_SETS];
	__u32 i;

#pragma unroll
	for (i = 0; i < EXE_WAYS; i++)
		if (set[i] == tag)
			return 1;
	return 0;
}

/*
 * Returns the executable's path where it is not known. Threads share it: the
 * leader answers for all, and each thread once the leader has exited.
 */
static __always_inline int put_exe(struct seq_file *seq, struct control_block *ctl, struct scratch *tmp,
				   struct task_struct *task, const struct task_record *of)
{
	struct exe_record *rec = &tmp->exe;
	struct mm_struct *mm;
	struct file *file;
	__u64 size;
	long n;

	if (of->exit_state || (of->bits & TASK_LEAVING))
		return 0;
	if (!(of->bits & TASK_LEADER) && !(task->group_leader->flags & PF_EXITING))
		return 0;
	if (is_exe_known(ctl, of->pid, exe_tag(task->group_leader->start_boottime, of->exec_id)))
		return 0;
	mm = task->mm;
	if (!mm)
		return 0;
	file = mm->exe_file;
	rec->pid = of->pid;
	rec->exec_id = of->exec_id;
	rec->bits = file ? exe_bits(file, task) : 0;
	n = file ? bpf_d_path(&file->f_path, tmp->path, EXE_MAX) : 0;
	if (n == -ENAMETOOLONG)
		rec->bits |= EXE_LONG;
	/*
	 * Nothing holds the mm or the file: if one went meanwhile, the path may be
	 * another's. A file that prctl(PR_SET_MM) puts at the same address was not
	 * executed; to have one there that was takes another execve(2).
	 */
	if (BPF_CORE_READ(task, mm) != mm || BPF_CORE_READ(mm, exe_file) != file ||
	    BPF_CORE_READ(task, self_exec_id) != of->exec_id ||
	    (rec->bits & EXE_EXECUTED && !(BPF_CORE_READ(file, f_flags) & OPENED_FOR_EXEC))) {
		rec->bits = EXE_MISSED;
		n = 0;
	}
	if (n <= 0 || n > EXE_MAX) {
		tmp->path[0] = 0;
		n = 1;
	}
	size = (sizeof(*rec) + n + 7) & ~7ULL;
	rec->h.kind = RECORD_EXE;
	rec->h.size = size;
	return bpf_seq_write(seq, rec, size) != 0;
}

#endif
