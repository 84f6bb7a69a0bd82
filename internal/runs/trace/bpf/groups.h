/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Cgroups: what they are called, and which unit they belong to.
 */
#ifndef LANDLOCKD_GROUPS_H
#define LANDLOCKD_GROUPS_H

static __always_inline struct kernfs_node *above(struct kernfs_node *kn)
{
	if (bpf_core_field_exists(kn->parent))
		return BPF_CORE_READ(kn, parent);
	return BPF_CORE_READ((struct kernfs_node___rcu *)kn, __parent);
}

/* The ID of a cgroup that was found by reading memory. */
static __always_inline __u64 id_of(struct kernfs_node *kn)
{
	return BPF_CORE_READ(kn, id);
}

/* Begins tmp->key with where a task is, and notes that in tmp->at. */
static __always_inline void locate(struct scratch *tmp, struct task_struct *task)
{
	struct css_set *set = task->cgroups;
	struct kernfs_node *v2 = set->dfl_cgrp->kn, *v1 = 0;
	struct kernfs_node *parent = task->real_parent->cgroups->dfl_cgrp->kn;
	struct cell_key *key = &tmp->key;
	struct link_memory *memory;
	__u32 zero = 0;

	__builtin_memset(key, 0, sizeof(*key));
	key->cgroup = v2->id;
	key->parent = parent->id;
	tmp->at.v2 = (__u64)v2;
	tmp->at.parent = (__u64)parent;
	if (layout.cgroup_v1) {
		memory = bpf_map_lookup_elem(&link_v1, &zero);
		if (memory)
			v1 = cgroup_v1(memory, set);
		if (v1)
			key->cgroup_v1 = id_of(v1);
	}
	tmp->at.v1 = (__u64)v1;
}

/* By a helper: each byte compared here is one more branch for the verifier. */
static __always_inline bool begins_with(const __u8 *name, const char *text, __u32 length)
{
	return !bpf_strncmp((const char *)name, length, text);
}

/* Whether a name ends so, with something before it; n counts its NUL. */
static __always_inline bool ends_with(const __u8 *name, __u32 n, const char *text, __u32 length)
{
	return n > length + 1 && begins_with(&name[(n - length - 1) & (NAME_SIZE - 1)], text, length);
}

/* Whether a name is that of a slice, which a container of LXC may be called like. */
static __always_inline bool is_slice(const __u8 *name, __u32 n)
{
	return ends_with(name, n, ".slice", 6) && !begins_with(name, "lxc.", 4);
}

/* Whether a name is that of a unit that runs programs. */
static __always_inline bool is_unit(const __u8 *name, __u32 n)
{
	return ends_with(name, n, ".service", 8) || ends_with(name, n, ".scope", 6);
}

/* One step up from a cgroup. */
static long rise(__u32 i, __u32 *of)
{
	struct scratch *tmp = get_scratch(*of);
	struct kernfs_node *kn, *up;
	struct ascent *a;
	__u32 off, n;
	__u64 id;
	long got;

	if (!tmp)
		return 1;
	a = &tmp->ascent;
	kn = (void *)a->at;
	up = above(kn);
	if (!up) {
		a->done = 1;
		return 1;
	}
	got = bpf_probe_read_kernel_str(a->name, NAME_SIZE, BPF_CORE_READ(kn, name));
	if (got <= 1 || got > NAME_SIZE)
		return 1;
	n = got;
	id = BPF_CORE_READ(kn, id);
	a->ids[a->levels & 3] = id;
	a->places[a->levels & 3] = (__u64)kn;
	a->levels++;
	if (is_unit(a->name, n)) {
		a->unit = id;
		a->unit_at = (__u64)kn;
	} else if (!is_slice(a->name, n)) {
		a->unit = 0; /* names below it are not systemd's */
	}
	off = a->off;
	if (off < GROUP_SIZE && off + n <= GROUP_SIZE && !a->cut) {
		bpf_probe_read_kernel_str(&tmp->group.names[off & (GROUP_SIZE - 1)], NAME_SIZE, a->name);
		a->off = off + n;
	} else {
		a->cut = 1;
	}
	a->at = (__u64)up;
	return 0;
}

/* Cgroups that are too deep to find the root from share one unit. */
#define DEEP_UNIT ~0ULL

/*
 * Finds the cgroup that stands for all below it where shares are counted: the uppermost that
 * is called as a unit, if above it there are only slices, or else the second from the top;
 * below the cgroups of Kubernetes, that of a container, and of a container of LXC the
 * uppermost. The last name that was read is the uppermost.
 */
static __always_inline void choose_unit(struct ascent *a, __u64 id, struct kernfs_node *kn)
{
	__u32 depth = 2;

	if (!a->done) {
		a->unit = DEEP_UNIT;
		return;
	}
	if (a->unit)
		return;
	a->unit = id;
	a->unit_at = (__u64)kn;
	if (begins_with(a->name, "kubepods", 8))
		depth = 4;
	else if (begins_with(a->name, "lxc.", 4))
		depth = 1;
	if (a->levels <= depth)
		return;
	a->unit = a->ids[(a->levels - depth) & 3];
	a->unit_at = a->places[(a->levels - depth) & 3];
}

/*
 * Reads the names of a cgroup and of those above it into scratch memory, and keeps them if
 * there is room. Returns 0.
 */
__noinline int read_group(__u32 of, __u64 at, __u32 v1, __u32 account)
{
	struct kernfs_node *kn = (void *)at;
	struct group_key key = { .id = BPF_CORE_READ(kn, id), .v1 = v1 };
	struct scratch *tmp = get_scratch(of);
	struct run_control *ctl = get_control();
	struct owner owner = { .account = account };
	struct ascent *a;
	struct group *g;

	if (!tmp || !ctl)
		return 0;
	a = &tmp->ascent;
	a->at = (__u64)kn;
	a->off = a->levels = a->done = a->cut = 0;
	a->unit = a->unit_at = 0;
	/* Names that there is no room for are not read if the unit is that of the one above. */
	if (is_used_up(SHARE_GROUPS, account, 0, GROUPS_SHARE)) {
		struct group_key up = { .id = BPF_CORE_READ(above(kn), id), .v1 = v1 };

		g = bpf_map_lookup_elem(&groups, &up);
		if (g && g->below) {
			a->unit = g->unit;
			return 0;
		}
	}
	bpf_loop(LEVELS, rise, &of, 0);
	g = &tmp->group;
	g->below = a->done && a->unit;
	choose_unit(a, key.id, kn);
	/* A unit's own name is charged to root: no user's others keep it from being known. */
	if (a->unit == key.id)
		owner.account = 0;
	g->unit = owner.unit = a->unit;
	g->account = owner.account;
	g->used = ctl->turn;
	g->size = a->done && !a->cut ? a->off : ABSENT;
	if (bpf_map_lookup_elem(&groups, &key) || !take_users(SHARE_GROUPS, &owner, 0, GROUPS_SHARE) ||
	    !take_units(SHARE_GROUPS, &owner, 0, GROUPS_SHARE))
		return 0;
	if (bpf_map_update_elem(&groups, &key, g, BPF_NOEXIST))
		give_both(SHARE_GROUPS, &owner, 0);
	return 0;
}

/*
 * Has a cgroup's name and its unit's be known. Returns the ID of the unit's cgroup, 0 if
 * there is no cgroup.
 */
__noinline __u64 name_group(__u32 of, __u64 at, __u32 v1, __u32 account)
{
	struct kernfs_node *kn = (void *)at;
	struct group_key key = { .id = BPF_CORE_READ(kn, id), .v1 = v1 };
	struct group *g = bpf_map_lookup_elem(&groups, &key);
	struct run_control *ctl = get_control();
	struct scratch *tmp = get_scratch(of);
	__u64 unit;

	if (!ctl || !tmp)
		return 0;
	if (g) {
		g->used = ctl->turn;
		unit = g->unit;
	} else {
		if (!at)
			return 0;
		read_group(of, at, v1, account);
		unit = tmp->ascent.unit;
	}
	if (unit == key.id || unit == DEEP_UNIT)
		return unit;
	key.id = unit;
	g = bpf_map_lookup_elem(&groups, &key);
	if (g) {
		g->used = ctl->turn;
		return unit;
	}
	if (tmp->ascent.unit == unit && tmp->ascent.unit_at)
		read_group(of, tmp->ascent.unit_at, v1, 0);
	return unit;
}

#endif
