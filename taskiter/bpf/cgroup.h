/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * A task's cgroup in the v1 hierarchy that names processes.
 */
#ifndef LANDLOCKD_CGROUP_H
#define LANDLOCKD_CGROUP_H

#define MAX_HIERARCHIES_V1 20

static __always_inline bool names_processes(struct cgrp_cset_link *link, struct css_set *set)
{
	return BPF_CORE_READ(link, cset) == set &&
	       BPF_CORE_READ(link, cgrp, root, hierarchy_id) == layout.cgroup_v1;
}

/*
 * A css_set's cgroup in the v1 hierarchy that names processes. Tasks
 * that stand together share css_sets: the link that was found last, in memory, is
 * tried first, by what it says now.
 */
static __always_inline struct kernfs_node *cgroup_v1(struct cgrp_cset_link **memory, struct css_set *set)
{
	struct list_head *head = (void *)set + bpf_core_field_offset(struct css_set, cgrp_links);
	struct cgrp_cset_link *last = *memory;
	struct list_head *at;
	int i;

	if (last && names_processes(last, set))
		return BPF_CORE_READ(last, cgrp, kn);
	at = BPF_CORE_READ(head, next);
	for (i = 0; i < MAX_HIERARCHIES_V1 && at && at != head; i++) {
		struct cgrp_cset_link *link =
			(void *)at - bpf_core_field_offset(struct cgrp_cset_link, cgrp_link);

		if (names_processes(link, set)) {
			*memory = link;
			return BPF_CORE_READ(link, cgrp, kn);
		}
		at = BPF_CORE_READ(at, next);
	}
	return 0;
}

#endif
