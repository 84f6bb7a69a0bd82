/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Counts what ended, in a cell for all that are alike.
 */
#ifndef LANDLOCKD_COUNT_H
#define LANDLOCKD_COUNT_H

static __always_inline struct cell *find_cell(__u32 table, const struct cell_key *key)
{
	if (table)
		return bpf_map_lookup_elem(&cells1, key);
	return bpf_map_lookup_elem(&cells0, key);
}

static __always_inline long make_cell(__u32 table, const struct cell_key *key, const struct cell *c)
{
	if (table)
		return bpf_map_update_elem(&cells1, key, c, BPF_NOEXIST);
	return bpf_map_update_elem(&cells0, key, c, BPF_NOEXIST);
}

static __always_inline void add_to(struct cell *c, const struct cell *last)
{
	__sync_fetch_and_add(&c->count, 1);
	/* One that comes meanwhile is no less the last. */
	if (__sync_lock_test_and_set(&c->busy, 1))
		return;
	c->start = last->start;
	c->end = last->end;
	c->pid = last->pid;
	__builtin_memcpy(c->comm, last->comm, sizeof(c->comm));
	__sync_lock_test_and_set(&c->busy, 0);
}

/* Adds to a cell that there may be already, or makes it. Returns whether there is one. */
static __always_inline bool add_or_make(struct run_control *ctl, __u32 table, const struct cell_key *key,
					const struct cell *fresh)
{
	struct cell *c = find_cell(table, key);

	if (c) {
		add_to(c, fresh);
		return 1;
	}
	if (!make_cell(table, key, fresh)) {
		if (__sync_fetch_and_add(&ctl->used[table & 1], 1) > CELLS / 2)
			wake_up(ctl);
		return 1;
	}
	/* Somebody else was faster, or there is no room. */
	c = find_cell(table, key);
	if (!c)
		return 0;
	add_to(c, fresh);
	return 1;
}

/* Where there is no room of its own, a run is one of its unit, and else one of the host. */
static __always_inline void fold(struct run_control *ctl, struct scratch *tmp, __u32 table, __u64 unit,
				 bool v1)
{
	struct cell_key *key = &tmp->key, *f = &tmp->folded;

	__builtin_memset(f, 0, sizeof(*f));
	f->cgroup = v1 ? 0 : unit;
	f->cgroup_v1 = v1 ? unit : 0;
	f->kind = key->kind;
	f->state = key->state;
	f->age = key->age;
	f->asked = key->asked;
	f->folded = 1;
	if (unit && unit != DEEP_UNIT && add_or_make(ctl, table, f, &tmp->fresh))
		return;
	__sync_fetch_and_add(&ctl->other[key->kind & (KINDS - 1)][key->state & (STATES - 1)], 1);
}

/* Counts tmp->key, whose last run is tmp->fresh, of a task that is somewhere. */
static __always_inline void count(struct run_control *ctl, struct scratch *tmp, __u32 of,
				  struct place *at, struct task_struct *task)
{
	__u32 table = ctl->active & 1, turn = ctl->turn;
	struct cell *c = find_cell(table, &tmp->key);
	struct owner *owner = &tmp->owner;
	bool v1 = 0;
	__u64 other;

	if (c) {
		add_to(c, &tmp->fresh);
		return;
	}
	owner->account = account_of(task->real_cred);
	/* A user who has no more cells costs no more than to find whose unit it is. */
	tmp->room = take_users(SHARE_CELLS, owner, turn, CELLS_SHARE);
	owner->unit = name_group(ctl, tmp, of, at->v2, 0, owner->account);
	if (at->v1 && (tmp->room || owner->unit <= 1)) {
		other = name_group(ctl, tmp, of, at->v1, 1, owner->account);
		v1 = owner->unit <= 1 && other;
		if (v1)
			owner->unit = other;
	}
	if (tmp->room && at->parent && at->parent != at->v2)
		name_group(ctl, tmp, of, at->parent, 0, owner->account);
	if (tmp->room && take_units(SHARE_CELLS, owner, turn, CELLS_SHARE)) {
		if (add_or_make(ctl, table, &tmp->key, &tmp->fresh))
			return;
		give_both(SHARE_CELLS, owner, turn);
	}
	fold(ctl, tmp, table, owner->unit, v1);
}

#endif
