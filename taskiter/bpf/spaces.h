/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Mount namespaces of tasks in domains: the program scan gives each a number, and the
 * program ways looks at those that have one.
 */
#ifndef LANDLOCKD_SPACES_H
#define LANDLOCKD_SPACES_H

/*
 * By number. 0 is the resolver's: its mount namespace, the scan, and in place of an account
 * the address of its struct files_struct.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SPACES_MAX);
	__type(key, __u32);
	__type(value, struct space);
} spaces SEC(".maps");

/* By address. Forgetting only makes a second number. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2 * SPACES_MAX);
	__type(key, __u64);
	__type(value, struct numbered);
} numbers SEC(".maps");

/* Returns 0 if the account has had its share. */
static __always_inline __u64 new_number(struct control_block *ctl, struct scratch *tmp,
					const struct task_record *rec, __u64 session, __u64 *key,
					__u64 event)
{
	struct spent *spent = get_spent(ctl, tmp, rec, session);
	__u32 number;

	if (!spent || spent->spaces >= ctl->max_spaces || ctl->num_spaces >= SPACES_MAX - 1)
		return 0;
	spent->spaces++;
	number = ++ctl->num_spaces;
	tmp->space.ns = *key;
	tmp->space.event = event;
	tmp->space.account = spending_key(ctl, rec);
	tmp->numbered_ns = *key;
	tmp->numbered.scan = ctl->scan;
	tmp->numbered.number = number;
	bpf_map_update_elem(&spaces, &number, &tmp->space, BPF_ANY);
	bpf_map_update_elem(&numbers, key, &tmp->numbered, BPF_ANY);
	return number;
}

/* Notes where the program ways finds the objects. The resolver lives until it has run. */
static __always_inline void note_resolver(struct control_block *ctl, struct task_struct *task,
					  const struct task_record *rec)
{
	__u32 zero = 0;
	struct space *space;

	if (!ctl->num_objects || rec->tid != ctl->resolver)
		return;
	space = bpf_map_lookup_elem(&spaces, &zero);
	if (!space)
		return;
	space->ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	space->event = ctl->scan;
	space->account = (__u64)BPF_CORE_READ(task, files);
}

/*
 * Returns the number of a task's mount namespace, 0 for none. One whose root or working
 * directory is elsewhere has other ways to things than its namespace has.
 */
static __always_inline __u16 space_number(struct control_block *ctl, struct scratch *tmp,
					  struct task_struct *task,
					  const struct task_record *rec, __u64 session)
{
	struct nsproxy *proxy = task->nsproxy;
	struct fs_struct *fs = task->fs;
	struct numbered *known;
	__u64 key, root, pwd;

	if (!ctl->num_objects)
		return 0;
	key = LOAD64(struct nsproxy, proxy, mnt_ns);
	if (!key)
		return 0;
	root = LOAD64(struct fs_struct, fs, root.mnt);
	pwd = LOAD64(struct fs_struct, fs, pwd.mnt);
	if (LOAD64(struct mount, real_mount(root), mnt_ns) != key ||
	    (pwd != root && LOAD64(struct mount, real_mount(pwd), mnt_ns) != key))
		return 0;
	if (key == tmp->numbered_ns && tmp->numbered.scan == ctl->scan)
		return tmp->numbered.number;
	known = bpf_map_lookup_elem(&numbers, &key);
	if (known && known->scan == ctl->scan) {
		tmp->numbered_ns = key;
		tmp->numbered = *known;
		return known->number;
	}
	return new_number(ctl, tmp, rec, session, &key, BPF_CORE_READ((struct mnt_namespace *)key, event));
}

#endif
