/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Shares of what a pass can read: whose budget a task uses up, and how much of it is
 * left.
 */
#ifndef LANDLOCKD_BUDGET_H
#define LANDLOCKD_BUDGET_H

/* By account, and whether the process is favoured. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct spent);
} spending SEC(".maps");

/* 1: some rule is about the process, so that it has a share of its own. */
static __always_inline __u32 is_favoured(struct control_block *ctl, const struct task_record *rec)
{
	__u32 bit = (__u32)rec->pid % PID_SLOTS;

	return ctl->favoured[bit / 8] >> (bit % 8) & 1;
}

static __always_inline __u64 spending_key(struct control_block *ctl, const struct task_record *rec)
{
	return rec->account | (__u64)is_favoured(ctl, rec) << 32;
}

static __always_inline struct spent *spent_by(__u64 key, __u64 session)
{
	struct spent fresh = { .session = session };
	struct spent *s = bpf_map_lookup_elem(&spending, &key);

	if (!s) {
		bpf_map_update_elem(&spending, &key, &fresh, BPF_ANY);
		return bpf_map_lookup_elem(&spending, &key);
	}
	if (s->session != session)
		*s = fresh;
	return s;
}

/*
 * What a task's account has used up in this pass. Most tasks are of the same account as the
 * one before: what that has used up is kept at hand, and put back when another comes.
 */
static __always_inline struct spent *get_spent(struct control_block *ctl, struct scratch *tmp,
					       const struct task_record *rec, __u64 session)
{
	__u64 key = spending_key(ctl, rec);
	struct spent *s;

	if (tmp->spender == key && tmp->spent.session == session)
		return &tmp->spent;
	s = bpf_map_lookup_elem(&spending, &tmp->spender);
	if (s && s->session == tmp->spent.session)
		*s = tmp->spent;
	s = spent_by(key, session);
	if (!s)
		return 0;
	tmp->spender = key;
	tmp->spent = *s;
	return &tmp->spent;
}

#endif
