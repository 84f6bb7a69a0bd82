/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Memory that is far away, fetched at once.
 */
#ifndef LANDLOCKD_WARM_H
#define LANDLOCKD_WARM_H

/* Loads a member and does without its value. */
#define TOUCH(member)                                 \
	do {                                          \
		__u64 value = (__u64)(member);        \
		asm volatile("" : : "r"(value));      \
	} while (0)

/*
 * Touches what is read of a task afterwards, in an order that has reasons of its own. What is
 * read of a sleeping task is in none of the processor's caches, and most of a pass would be
 * spent in waiting for one line after the other. It waits once for those of the task itself,
 * and once for those of all that it points to. root: the root directory is likely to be read, if
 * the task is in a domain.
 */
static __always_inline void warm(struct task_struct *task, bool root)
{
	const struct cred *cred = task->real_cred;
	struct signal_struct *signal = task->signal;
	struct mm_struct *mm = task->mm;

	TOUCH(task->exit_state);
	TOUCH(task->tgid);
	TOUCH(task->real_parent);
	TOUCH(task->start_boottime);
	TOUCH(task->self_exec_id);
	TOUCH(task->comm[0]);
	TOUCH(task->nsproxy);
	TOUCH(task->sighand);
	TOUCH(task->cgroups);
	if (bpf_core_field_exists(task->seccomp.mode))
		TOUCH(task->seccomp.mode);
	/*
	 * Whoever is in a domain mostly has this flag. Whether a task is in one is known too late,
	 * when all else has come and the pass would wait for this line alone.
	 */
	if (root && task->atomic_flags & PFA_NO_NEW_PRIVS)
		TOUCH(task->fs->root.dentry);
	TOUCH(signal->nr_threads);
	TOUCH(signal->stats_lock.seqcount.seqcount.sequence);
	TOUCH(cred->uid.val);
	TOUCH(cred->security);
	TOUCH(cred->user_ns);
	if (bpf_core_field_exists(mm->flags))
		TOUCH(mm->flags);
	else if (bpf_core_field_exists(((struct mm_struct___bitmap *)mm)->flags.__mm_flags))
		TOUCH(((struct mm_struct___bitmap *)mm)->flags.__mm_flags[0]);
}

#endif
