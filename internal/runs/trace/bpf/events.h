/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The beginning and the end of processes.
 */
#ifndef LANDLOCKD_EVENTS_H
#define LANDLOCKD_EVENTS_H

#define EEXIST 17
#define S_ISUID 0004000

static __always_inline __u64 start_of(struct task_struct *task)
{
	return task->group_leader->start_boottime;
}

/*
 * A process's entry; 0 if it has none. One that was left by another process, of which no
 * end was seen, has another start.
 */
static __always_inline struct process *get_process(__u64 key, __u64 start)
{
	struct process *p = bpf_map_lookup_elem(&processes, &key);

	return p && p->start == start ? p : 0;
}

/* Removes an entry, and reports whether it was there. */
static __always_inline bool forget_process(__u64 key, const struct process *p)
{
	__u32 account = p->account;
	__u64 exe = p->exe;

	if (bpf_map_delete_elem(&processes, &key))
		return 0;
	if (account)
		give_back(SHARE_PROCESSES, account, 0);
	release_exe(exe);
	return 1;
}

/* Forgets what is there by the key of a process that is to have an entry. */
static __always_inline void make_room(__u64 key)
{
	struct process *old = bpf_map_lookup_elem(&processes, &key);

	if (old)
		forget_process(key, old);
}

/*
 * Makes tmp->process an entry, with its start and the reference to an executable, unless there
 * is one.
 */
static __always_inline void remember(struct scratch *tmp, __u64 key, struct task_struct *task)
{
	struct process *fresh = &tmp->process;

	fresh->account = account_of(task->real_cred);
	fresh->depths = fresh->lacks = fresh->last_depths = fresh->last_lacks = 0;
	fresh->exec = task->self_exec_id;
	fresh->born = bpf_ktime_get_boot_ns();
	fresh->seen = 0;
	bpf_probe_read_kernel(fresh->comm, sizeof(fresh->comm), &task->comm);
	if (!fresh->account || take(SHARE_PROCESSES, fresh->account, 0, PROCESSES_SHARE)) {
		if (!bpf_map_update_elem(&processes, &key, fresh, BPF_NOEXIST))
			return;
		if (fresh->account)
			give_back(SHARE_PROCESSES, fresh->account, 0);
	}
	release_exe(fresh->exe);
}

/* The number of a process where user space looks; 0: it is not there. */
static __always_inline __u32 pid_of(struct task_struct *task)
{
	struct pid *pid;
	struct upid *at;

	if (!layout.pid_level)
		return task->tgid;
	pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	if (!pid || BPF_CORE_READ(pid, level) < layout.pid_level)
		return 0;
	at = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	     (__u64)layout.pid_level * bpf_core_type_size(struct upid);
	if (BPF_CORE_READ(at, ns, ns.inum) != config.pid_ns)
		return 0;
	return BPF_CORE_READ(at, nr);
}

/* From Linux 6.10 on. */
extern void bpf_preempt_disable(void) __weak __ksym;
extern void bpf_preempt_enable(void) __weak __ksym;

/*
 * While a program is interrupted, the kernel does not call it again on the same CPU, and
 * tracepoints can be interrupted from Linux 7.0 on, on PREEMPT_RT often. So nothing interrupts
 * it where that can be asked for, and each program is there twice (COPIES): what the first
 * one has done the second one finds done, and leaves.
 */
#define COUNTED(name, tracepoint, event, copy)                        \
	SEC("tp_btf/" #tracepoint)                                     \
	int name(__u64 *ctx)                                           \
	{                                                              \
		if (config.interrupted && bpf_preempt_disable)         \
			bpf_preempt_disable();                         \
		event(ctx, copy);                                      \
		if (config.interrupted && bpf_preempt_enable)          \
			bpf_preempt_enable();                          \
		return 0;                                              \
	}

static __always_inline void fork_event(__u64 *ctx, __u32 copy)
{
	struct task_struct *parent = plain_task((void *)ctx[0]);
	struct task_struct *child = plain_task((void *)ctx[1]);
	struct signal_struct *signal = child->signal;
	__u64 began = bpf_ktime_get_boot_ns();
	struct run_control *ctl;
	struct scratch *tmp;
	struct process *p;

	if (signal == parent->signal || child->flags & PF_KTHREAD)
		return;
	if (copy && get_process((__u64)signal, child->start_boottime))
		return;
	ctl = get_control();
	tmp = get_scratch(EVENTS * copy + EVENT_FORK);
	if (!ctl || !tmp)
		return;
	tmp->process.start = child->start_boottime;
	tmp->process.exe = 0;
	p = get_process((__u64)parent->signal, start_of(parent));
	if (p) {
		tmp->process.exe = p->exe;
		hold_exe(p->exe);
	}
	make_room((__u64)signal);
	remember(tmp, (__u64)signal, child);
	note_cost(ctl, EVENT_FORK, began);
}

COUNTED(on_fork, sched_process_fork, fork_event, 0)
COUNTED(on_fork_again, sched_process_fork, fork_event, 1)

/* Has a process run another executable from now on. */
static __always_inline void run_another(struct scratch *tmp, struct process *p, __u64 key, __u64 start,
					struct task_struct *task, __u64 exe)
{
	__u64 before;

	if (!p) {
		tmp->process.start = start;
		tmp->process.exe = exe;
		make_room(key);
		remember(tmp, key, task);
		return;
	}
	before = p->exe;
	p->exe = exe;
	p->exec = task->self_exec_id;
	p->depths = p->lacks = p->last_depths = p->last_lacks = 0;
	bpf_probe_read_kernel(p->comm, sizeof(p->comm), &task->comm);
	release_exe(before);
}

/*
 * The effective user that executed a program. Of one that changes it, it was the real one
 * if both were the same, which is not known.
 */
static __always_inline __u32 launcher_of(struct task_struct *task)
{
	const struct cred *cred = task->real_cred;
	struct mm_struct *mm = task->mm;
	__u32 euid = cred->euid.val;
	struct file *file;

	if (!mm || euid == cred->uid.val)
		return euid;
	file = mm->exe_file;
	if (!file || file->f_path.dentry->d_inode->i_mode & S_ISUID)
		return ABSENT;
	return euid;
}

/*
 * A program has taken the place of another one. All is the new one's here, so that what is
 * said of the old one comes from its entry.
 */
static __always_inline void exec_event(__u64 *ctx, __u32 copy)
{
	struct task_struct *task = plain_task((void *)ctx[0]);
	__u64 key = (__u64)task->signal, began = bpf_ktime_get_boot_ns(), start = start_of(task);
	struct run_control *ctl;
	struct scratch *tmp;
	struct process *p;
	__u64 missed = 0;
	__u32 of, pid;

	if (task->flags & PF_KTHREAD)
		return;
	p = get_process(key, start);
	if (copy && (!p || p->exec == task->self_exec_id))
		return;
	of = EVENTS * copy + EVENT_EXEC;
	ctl = get_control();
	tmp = get_scratch(of);
	if (!ctl || !tmp)
		return;
	locate(tmp, task);
	tmp->owner.account = account_of(task->real_cred);
	tmp->key.kind = KIND_LAUNCH;
	tmp->key.uid = launcher_of(task);
	/* Of an execve(2) that no program was called for nothing else is known. */
	if (p && task->self_exec_id - p->exec > 1) {
		missed = task->self_exec_id - p->exec - 1;
		__sync_fetch_and_add(&ctl->lost, missed);
		release_exe(p->exe);
		p->exe = 0;
		__builtin_memset(p->comm, 0, sizeof(p->comm));
	}
	pid = pid_of(task);
	if (pid) {
		tmp->facts.depths = tmp->facts.lacks = 0;
		read_thread(tmp, of, task->real_cred->security);
		add_noted(&tmp->facts, p, missed, task->signal);
		__builtin_memset(tmp->fresh.comm, 0, sizeof(tmp->fresh.comm));
		if (p) {
			tmp->key.exe = p->exe;
			__builtin_memcpy(tmp->fresh.comm, p->comm, sizeof(p->comm));
			if (ctl->see_comm)
				__builtin_memcpy(tmp->key.comm, p->comm, sizeof(p->comm));
		}
		count(of, pid, start, began);
	}
	run_another(tmp, p, key, start, task, take_exe(tmp, of, task));
	note_cost(ctl, EVENT_EXEC, began);
}

COUNTED(on_exec, sched_process_exec, exec_event, 0)
COUNTED(on_exec_again, sched_process_exec, exec_event, 1)

/*
 * Whether nobody has counted this process, whose threads are all past their end or about
 * to be. Several of them may ask: the first one counts.
 */
static __always_inline bool is_first(struct run_control *ctl, __u64 key, __u64 start, const struct process *p,
				     bool alone)
{
	struct ended_key id = { .signal = key, .start = start };
	__u32 one = 1;
	int err; /* before Linux 6.4 its upper half is whatever was there */

	if (p && (alone || config.group_dead))
		return forget_process(key, p);
	err = bpf_map_update_elem(&ended, &id, &one, BPF_NOEXIST);
	if (err) {
		if (err != -EEXIST)
			__sync_fetch_and_add(&ctl->lost, 1);
		return 0;
	}
	if (p)
		forget_process(key, p);
	return 1;
}

/* What all threads were that end with a process. */
static __always_inline void read_process(struct scratch *tmp, __u32 of, struct process *p, __u64 missed,
					 struct signal_struct *signal, struct task_struct *task,
					 bool alone)
{
	struct facts *f = &tmp->facts;

	f->depths = f->lacks = 0;
	if (!is_worker(task))
		read_thread(tmp, of, task->real_cred->security);
	if (!add_noted(f, p, missed, signal))
		return;
	if (!alone && !read_others(of, signal))
		f->depths = 0;
	else if (!f->depths && p) {
		f->depths = p->last_depths;
		f->lacks = p->last_lacks;
	}
}

/*
 * How many programs a process executed, at least, since its executable was noted. An execve(2)
 * that fails where it cannot return any more has a number, too, but leaves memory without code.
 * Before Linux 6.16, where no program is skipped, that memory has gone.
 */
static __always_inline __u64 executed_since(const struct process *p, struct task_struct *task)
{
	__u64 n = task->self_exec_id - p->exec;
	struct mm_struct *mm = task->mm;

	return n && !(mm && mm->start_code) ? n - 1 : n;
}

/* Counts a process whose last thread ends. */
static __always_inline void count_run(struct run_control *ctl, struct scratch *tmp, __u32 of,
				      struct task_struct *task, struct process *p, __u64 key, __u64 start,
				      __u64 began)
{
	struct signal_struct *signal = task->signal;
	bool alone = signal->thread_head.next == signal->thread_head.prev;
	struct task_struct *by = task;
	__u64 exe = 0, missed = 0;
	__u32 pid;

	if (p) {
		missed = executed_since(p, task);
		exe = missed ? 0 : p->exe;
	}
	read_process(tmp, of, p, missed, signal, task, alone);
	if (!is_first(ctl, key, start, p, alone))
		return;
	if (missed)
		__sync_fetch_and_add(&ctl->lost, missed);
	pid = pid_of(task);
	if (!pid)
		return;
	locate(tmp, task);
	tmp->owner.account = account_of(task->real_cred);
	tmp->key.exe = exe;
	/* The credentials of a worker change with what it works on. */
	if (is_worker(task))
		by = task->group_leader;
	tmp->key.uid = by->real_cred->euid.val;
	bpf_probe_read_kernel(tmp->fresh.comm, sizeof(tmp->fresh.comm), &task->group_leader->comm);
	if (ctl->see_comm)
		__builtin_memcpy(tmp->key.comm, tmp->fresh.comm, sizeof(tmp->key.comm));
	count(of, pid, start, began);
}

static __always_inline void exit_event(__u64 *ctx, __u32 copy)
{
	struct task_struct *task = plain_task((void *)ctx[0]);
	struct signal_struct *signal = task->signal;
	__u64 key = (__u64)signal, began = bpf_ktime_get_boot_ns(), start = start_of(task);
	struct run_control *ctl;
	struct scratch *tmp;
	struct process *p;
	bool dead, last;
	__u32 of;

	if (task->flags & PF_KTHREAD)
		return;
	p = get_process(key, start);
	if (copy && !p)
		return;
	of = EVENTS * copy + EVENT_EXIT;
	ctl = get_control();
	tmp = get_scratch(of);
	if (!ctl || !tmp)
		return;
	dead = last = !signal->live.counter;
	if (config.group_dead)
		last = ctx[1] & 1;
	if (last)
		count_run(ctl, tmp, of, task, p, key, start, began);
	else if (p)
		note_thread(tmp, of, p, signal, task, dead);
	note_cost(ctl, EVENT_EXIT, began);
}

COUNTED(on_exit, sched_process_exit, exit_event, 0)
COUNTED(on_exit_again, sched_process_exit, exit_event, 1)

/* Remembers the processes that are older than the programs. */
SEC("iter/task")
int adopt(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct run_control *ctl;
	struct scratch *tmp;
	struct process *p;
	__u64 key, start;

	if (!task)
		return 0;
	task = plain_task(task);
	if (task->flags & PF_KTHREAD || task->group_leader != task)
		return 0;
	ctl = get_control();
	tmp = get_scratch(SCRATCH_ADOPT);
	if (!ctl || !tmp || !task->signal->live.counter)
		return 0;
	key = (__u64)task->signal;
	start = task->start_boottime;
	if (get_process(key, start))
		return 0;
	tmp->process.start = start;
	tmp->at.v2 = (__u64)task->cgroups->dfl_cgrp->kn;
	tmp->owner.account = account_of(task->real_cred);
	tmp->process.exe = take_exe(tmp, SCRATCH_ADOPT, task);
	remember(tmp, key, task);
	/* If it has ended meanwhile, nobody else forgets it. */
	p = get_process(key, start);
	if (p && !task->signal->live.counter)
		forget_process(key, p);
	return 0;
}

/*
 * A process that has an entry and is not among the tasks has ended without a program having
 * been called. The first iterator looks which are there, the second one which are not.
 */
SEC("iter/task")
int sweep_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct run_control *ctl = get_control();
	struct process *p;

	if (!task || !ctl)
		return 0;
	task = plain_task(task);
	if (task->group_leader != task)
		return 0;
	p = get_process((__u64)task->signal, task->start_boottime);
	if (p)
		p->seen = ctl->sweep;
	return 0;
}

SEC("iter/bpf_map_elem")
int sweep_processes(struct bpf_iter__bpf_map_elem *ctx)
{
	struct run_control *ctl = get_control();
	struct process *p = ctx->value;
	__u64 *key = ctx->key, at;
	struct process copy;

	if (!ctl || !p || !key)
		return 0;
	if (p->seen == ctl->sweep || p->born >= ctl->swept_at)
		return 0;
	at = *key;
	copy.account = p->account;
	copy.exe = p->exe;
	if (forget_process(at, &copy)) {
		__sync_fetch_and_add(&ctl->other[KIND_RUN][STATE_UNKNOWN], 1);
		__sync_fetch_and_add(&ctl->swept, 1);
	}
	return 0;
}

#endif
