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

/*
 * Fills in, by tmp->facts, what a cell is counted by beside where it is, the executable, the
 * user and the name; and tmp->fresh but for the name.
 */
static __always_inline void describe(struct run_control *ctl, struct scratch *tmp, __u32 pid,
				     __u64 start, __u64 end)
{
	struct cell_key *key = &tmp->key;
	struct facts *f = &tmp->facts;
	struct cell *fresh = &tmp->fresh;
	__u32 bank, num, i;
	__u64 age;

	key->state = state_of(f);
	if (key->state == STATE_SANDBOXED)
		key->depth = depth_of(f->depths);
	if (key->state >= STATE_PARTIAL)
		key->handled = ~f->lacks;
	if (ctl->marks[pid & (MARKS - 1)] == start) {
		key->pid = pid;
		key->start = start;
	}
	fresh->count = 1;
	fresh->shown = 0;
	fresh->busy = 0;
	fresh->pid = pid;
	fresh->start = start;
	fresh->end = end;
	age = end - start;
	key->asked = ctl->asked;
	bank = key->asked & 1;
	num = ctl->num[bank];
	for (i = 0; i < AGES; i++) {
		if (i >= num || age < ctl->ages[bank][i])
			break;
		key->age++;
	}
}

/* Counts what tmp has of a run or launch, of the user whose account is tmp->owner's. Returns 0. */
__noinline int count(__u32 of, __u32 pid, __u64 start, __u64 end)
{
	struct run_control *ctl = get_control();
	struct scratch *tmp = get_scratch(of);
	struct owner *owner;
	struct place *at;
	__u32 table, turn;
	struct cell *c;
	bool v1 = 0;
	__u64 other;

	if (!ctl || !tmp)
		return 0;
	describe(ctl, tmp, pid, start, end);
	table = ctl->active & 1;
	turn = ctl->turn;
	c = find_cell(table, &tmp->key);
	if (c) {
		add_to(c, &tmp->fresh);
		return 0;
	}
	owner = &tmp->owner;
	at = &tmp->at;
	/* A user who has no more cells costs no more than to find whose unit it is. */
	tmp->room = take_users(SHARE_CELLS, owner, turn, CELLS_SHARE);
	owner->unit = name_group(of, at->v2, 0, owner->account);
	if (at->v1 && (tmp->room || owner->unit <= 1)) {
		other = name_group(of, at->v1, 1, owner->account);
		v1 = owner->unit <= 1 && other;
		if (v1)
			owner->unit = other;
	}
	if (tmp->room && at->parent && at->parent != at->v2)
		name_group(of, at->parent, 0, owner->account);
	if (tmp->room && take_units(SHARE_CELLS, owner, turn, CELLS_SHARE)) {
		if (add_or_make(ctl, table, &tmp->key, &tmp->fresh))
			return 0;
		give_both(SHARE_CELLS, owner, turn);
	}
	fold(ctl, tmp, table, owner->unit, v1);
	return 0;
}

#endif
