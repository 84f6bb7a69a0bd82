/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * In what domains the threads are that end with a process.
 */
#ifndef LANDLOCKD_STATE_H
#define LANDLOCKD_STATE_H

#define SIGNAL_GROUP_EXIT 0x4
#define LAYERS 16
#define DEEPEST 63

/*
 * Whether a domain, or one that it is nested in, is of a kind that came later. A global
 * function, because that is verified once.
 */
__noinline int has_signs(__u64 domain)
{
	const void *hierarchy = 0;
	__u32 i;

	READ(hierarchy, domain + layout.hierarchy);
	for (i = 0; i < LAYERS && hierarchy; i++) {
		if (signs_of(hierarchy))
			return 1;
		READ(hierarchy, hierarchy + layout.parent);
	}
	return 0;
}

/* Adds a thread in a domain to tmp->facts. Returns 0. */
__noinline int read_domain(__u32 of, __u64 at)
{
	const void *domain = (const void *)at;
	struct scratch *tmp = get_scratch(of);
	__u32 depth = 0, handled = 0;
	__u32 i;

	if (!tmp)
		return 0;
	READ(depth, domain + layout.num_layers);
	for (i = 0; i < LAYERS; i++) {
		if (i >= depth)
			break;
		handled |= layer_mask(domain, i);
	}
	if (layout.signs && has_signs((__u64)domain))
		handled = 0; /* it is not known */
	if (depth > LAYERS) /* Linux before 5.19: it is not known */
		handled = ~0U;
	if (depth > DEEPEST)
		depth = DEEPEST;
	tmp->facts.depths |= 1ULL << depth;
	if (depth)
		tmp->facts.lacks |= (__u32)~handled;
	return 0;
}

/* Adds a thread, by the security blob of its credentials, to tmp->facts. */
static __always_inline void read_thread(struct scratch *tmp, __u32 of, const void *blob)
{
	__u64 domain = 0;

	if (layout.landlock)
		READ(domain, blob + layout.blob);
	if (domain)
		read_domain(of, domain);
	else
		tmp->facts.depths |= 1;
}

/* Whether the kernel made the thread to work for the process. */
static __always_inline bool is_worker(struct task_struct *task)
{
	return task->flags & layout.workers;
}

/* Whether all of a process's threads end: by its exit, or by execve(2). */
static __always_inline bool is_ending(struct signal_struct *signal)
{
	if (signal->flags & SIGNAL_GROUP_EXIT)
		return 1;
	return signal->group_exec_task != 0;
}

/*
 * Keeps what a thread was that has come to its end before others of its process. One
 * that ended for itself counts only if no other does.
 */
static __always_inline void note_thread(struct scratch *tmp, __u32 of, struct process *p,
					struct signal_struct *signal, struct task_struct *task, bool dead)
{
	struct facts *f = &tmp->facts;

	if (is_worker(task))
		return;
	f->depths = f->lacks = 0;
	read_thread(tmp, of, task->real_cred->security);
	if (dead || is_ending(signal)) {
		__sync_fetch_and_or(&p->depths, f->depths);
		__sync_fetch_and_or(&p->lacks, f->lacks);
	} else {
		p->last_depths = f->depths;
		p->last_lacks = f->lacks;
	}
}

/* Where a walk over the threads of a process is. */
struct walk {
	__u64 head;
	__u64 at;
	__u32 of; /* whose tmp->facts they are added to */
};

static long next_thread(__u64 i, struct walk *w)
{
	struct task_struct *task =
		(void *)w->at - bpf_core_field_offset(struct task_struct, thread_node);
	struct list_head *at = (void *)w->at;
	struct scratch *tmp = get_scratch(w->of);

	if (w->at == w->head || !w->at || !tmp)
		return 1;
	/* Past that, a thread has noted what it was, or had ended for itself. */
	if (!BPF_CORE_READ(task, exit_state) && !(BPF_CORE_READ(task, flags) & layout.workers))
		read_thread(tmp, w->of, BPF_CORE_READ(task, real_cred, security));
	w->at = (__u64)BPF_CORE_READ(at, next);
	return 0;
}

/*
 * Adds those threads of a dead process that are past the counter of the living, and not
 * yet at their end. Returns whether those were all.
 */
static __always_inline bool read_others(__u32 of, struct signal_struct *signal)
{
	struct list_head *head = (void *)signal + bpf_core_field_offset(struct signal_struct, thread_head);
	struct walk w = {
		.head = (__u64)head,
		.at = (__u64)BPF_CORE_READ(head, next),
		.of = of,
	};

	return bpf_loop(THREADS, next_thread, &w, 0) < THREADS;
}

/*
 * Adds what threads were that ended before, and reports whether that is known: without an
 * entry of the process, or behind an execve(2) that was missed, it is only if none has gone.
 */
static __always_inline bool add_noted(struct facts *f, const struct process *p, __u64 missed,
				      const struct signal_struct *signal)
{
	if (p) {
		f->depths |= p->depths;
		f->lacks |= p->lacks;
	}
	if ((!p || missed) && signal->sum_sched_runtime) {
		f->depths = 0;
		return 0;
	}
	return 1;
}

static __always_inline __u8 state_of(const struct facts *f)
{
	if (!f->depths)
		return STATE_UNKNOWN;
	if (f->depths == 1)
		return STATE_UNSANDBOXED;
	return f->depths & 1 ? STATE_PARTIAL : STATE_SANDBOXED;
}

/* The least depth of a thread; no thread is none. */
static __always_inline __u16 depth_of(__u64 depths)
{
	__u16 n = 0;

	if (!(depths & 0xffffffff)) {
		n += 32;
		depths >>= 32;
	}
	if (!(depths & 0xffff)) {
		n += 16;
		depths >>= 16;
	}
	if (!(depths & 0xff)) {
		n += 8;
		depths >>= 8;
	}
	if (!(depths & 0xf)) {
		n += 4;
		depths >>= 4;
	}
	if (!(depths & 3)) {
		n += 2;
		depths >>= 2;
	}
	return n + !(depths & 1);
}

#endif
