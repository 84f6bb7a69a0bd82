/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Cgroups: what they are called, and which unit they belong to.
 */
#ifndef LANDLOCKD_GROUPS_H
#define LANDLOCKD_GROUPS_H

/* Where a process is, in both hierarchies. */
struct place {
	struct kernfs_node *v2;
	struct kernfs_node *v1;
	struct kernfs_node *parent; /* of its parent, in v2 */
};

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

static __always_inline struct place place_of(struct task_struct *task)
{
	struct css_set *set = task->cgroups;
	struct place p = { .v2 = set->dfl_cgrp->kn };
	__u32 zero = 0;
	__u64 *memory;

	p.parent = task->real_parent->cgroups->dfl_cgrp->kn;
	if (!layout.cgroup_v1)
		return p;
	memory = bpf_map_lookup_elem(&link_v1, &zero);
	if (memory)
		p.v1 = cgroup_v1((struct cgrp_cset_link **)memory, set);
	return p;
}

static __always_inline bool ends_with(const __u8 *name, const char *suffix, __u32 length)
{
	__u32 i;

	for (i = 0; i < length; i++)
		if (name[i] != suffix[i])
			return 0;
	return 1;
}

/* Whether a name with its NUL, which ends at end, is that of a unit that runs programs. */
static __always_inline bool is_unit(struct group *g, __u32 start, __u32 n)
{
	__u32 end = start + n;

	if (n > 9 && ends_with(&g->names[(end - 9) & (GROUP_SIZE - 1)], ".service", 8))
		return 1;
	return n > 7 && ends_with(&g->names[(end - 7) & (GROUP_SIZE - 1)], ".scope", 6);
}

/* One step up from a cgroup. */
static long rise(__u32 i, __u32 *of)
{
	struct scratch *tmp = get_scratch(*of);
	struct kernfs_node *kn, *up;
	struct ascent *a;
	__u32 off, level;
	__u64 id;
	long n;

	if (!tmp)
		return 1;
	a = &tmp->ascent;
	kn = (void *)a->at;
	up = above(kn);
	if (!up) {
		a->done = 1;
		return 1;
	}
	off = a->off;
	level = a->levels;
	id = BPF_CORE_READ(kn, id);
	if (level < LEVELS)
		a->ids[level & (LEVELS - 1)] = id;
	a->levels = level + 1;
	a->at = (__u64)up;
	if (off >= GROUP_SIZE)
		return 0; /* the path is too long, and yet it has a unit */
	n = bpf_probe_read_kernel_str(&tmp->group.names[off & (GROUP_SIZE - 1)], NAME_SIZE,
				      BPF_CORE_READ(kn, name));
	if (n <= 1)
		return 1;
	if (is_unit(&tmp->group, off, n))
		a->unit = id;
	a->last = off;
	a->off = off + n;
	return 0;
}

/*
 * The cgroup that stands for all below it where shares are counted: the uppermost that is
 * called as a unit, or else the second from the top; below the cgroups of Kubernetes, that
 * of a pod.
 */
static __always_inline __u64 unit_of(struct scratch *tmp, __u64 id)
{
	struct ascent *a = &tmp->ascent;
	__u32 depth = 2, levels = a->levels;

	if (a->unit)
		return a->unit;
	if (!levels)
		return id;
	if (ends_with(&tmp->group.names[a->last & (GROUP_SIZE - 1)], "kubepods", 8))
		depth = 4;
	if (levels < depth)
		return id;
	return a->ids[(levels - depth) & (LEVELS - 1)];
}

/*
 * Reads what a cgroup is called, once, and returns the ID of its unit's cgroup; 0 if there
 * is no cgroup.
 */
static __always_inline __u64 name_group(struct run_control *ctl, struct scratch *tmp, __u32 of,
					struct kernfs_node *kn, bool v1)
{
	struct group_key key = { .id = BPF_CORE_READ(kn, id), .v1 = v1 };
	struct group *g = bpf_map_lookup_elem(&groups, &key);
	struct ascent *a = &tmp->ascent;
	__u64 unit;

	if (g) {
		g->used = ctl->turn;
		return g->unit;
	}
	if (!kn)
		return 0;
	a->at = (__u64)kn;
	a->off = 0;
	a->levels = 0;
	a->unit = 0;
	a->done = 0;
	a->last = 0;
	bpf_loop(LEVELS + 1, rise, &of, 0);
	unit = unit_of(tmp, key.id);
	g = &tmp->group;
	g->unit = unit;
	g->used = ctl->turn;
	g->size = a->done && a->off <= GROUP_SIZE ? a->off : ABSENT;
	if (!take(SHARE_GROUPS, unit, 0, GROUPS_SHARE))
		return unit;
	if (bpf_map_update_elem(&groups, &key, g, BPF_NOEXIST))
		give_back(SHARE_GROUPS, unit, 0);
	return unit;
}

#endif
