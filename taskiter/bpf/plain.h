/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Pointers to tasks that cost the verifier little.
 */
#ifndef LANDLOCKD_PLAIN_H
#define LANDLOCKD_PLAIN_H

/* From Linux 6.2 on. */
extern void *bpf_rdonly_cast(const void *object, __u32 type) __weak __ksym;

/*
 * The same task, of which the verifier takes nothing for granted but its type. Each pointer that
 * is read through one that it trusts, as that of a tracepoint, has it search all of the kernel's
 * types four times by name, for whether what was read is trusted, too: a millisecond in all.
 */
static __always_inline struct task_struct *plain_task(void *task)
{
	if (bpf_rdonly_cast)
		return bpf_rdonly_cast(task, bpf_core_type_id_kernel(struct task_struct));
	return task;
}

#endif
