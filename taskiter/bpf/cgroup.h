/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * A task's cgroup in the v1 hierarchy that names processes.
 */
#ifndef LANDLOCKD_CGROUP_H
#define LANDLOCKD_CGROUP_H

#define MAX_HIERARCHIES_V1 20

/* Where a css_set's link to a cgroup in that hierarchy was found last. */
struct link_memory {
	__u64 link;
	__u64 place; /* in the list of its links */
	__u64 set;   /* whose links search_links() is to look through */
};

/* The cgroup of a link, if it is the css_set's and in that hierarchy. */
static __always_inline struct cgroup *named_by(struct cgrp_cset_link *link, struct css_set *set)
{
	struct cgroup *cgroup;

	if (BPF_CORE_READ(link, cset) != set)
		return 0;
	cgroup = BPF_CORE_READ(link, cgrp);
	return BPF_CORE_READ(cgroup, root, hierarchy_id) == layout.cgroup_v1 ? cgroup : 0;
}

static __always_inline struct cgrp_cset_link *link_at(struct list_head *at)
{
	return (void *)at - bpf_core_field_offset(struct cgrp_cset_link, cgrp_link);
}

/* Global functions, because those are verified once. This is named_by() of addresses. */
__noinline int is_named(__u64 link, __u64 set)
{
	return named_by((void *)link, (void *)set) != 0;
}

/*
 * Looks through all links of a css_set for that to a cgroup in the hierarchy, and remembers it.
 * Returns whether there is one.
 */
__noinline int search_links(struct link_memory *memory)
{
	struct list_head *head, *at;
	struct css_set *set;
	int i;

	if (!memory)
		return 0;
	set = (void *)memory->set;
	head = (void *)set + bpf_core_field_offset(struct css_set, cgrp_links);
	at = BPF_CORE_READ(head, next);
	for (i = 0; i < MAX_HIERARCHIES_V1 && at && at != head; i++) {
		struct cgrp_cset_link *link = link_at(at);

		if (is_named((__u64)link, (__u64)set)) {
			memory->link = (__u64)link;
			memory->place = i;
			return 1;
		}
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

/*
 * A css_set's cgroup in the v1 hierarchy that names processes. Tasks that stand together
 * share css_sets: the link that was found last is tried first, by what it says now. Then
 * that in its place, since in the lists of all css_sets hierarchies are in the same order.
 */
static __always_inline struct kernfs_node *cgroup_v1(struct link_memory *memory,
						     struct css_set *set)
{
	struct list_head *head = (void *)set + bpf_core_field_offset(struct css_set, cgrp_links);
	struct list_head *at = set->cgrp_links.next;
	struct cgrp_cset_link *link = (void *)memory->link;
	struct cgroup *cgroup = link ? named_by(link, set) : 0;
	int i;

	if (cgroup)
		return BPF_CORE_READ(cgroup, kn);
	for (i = 0; i < MAX_HIERARCHIES_V1 && i < memory->place; i++)
		at = at->next;
	if (at != head) {
		link = link_at(at);
		cgroup = named_by(link, set);
	}
	if (cgroup) {
		memory->link = (__u64)link;
		return BPF_CORE_READ(cgroup, kn);
	}
	memory->set = (__u64)set;
	if (!search_links(memory))
		return 0;
	link = (void *)memory->link;
	return BPF_CORE_READ(link, cgrp, kn);
}

#endif
