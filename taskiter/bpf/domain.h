/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Domains: what they are called, what their layers handle, who made them.
 */
#ifndef LANDLOCKD_DOMAIN_H
#define LANDLOCKD_DOMAIN_H

/* Which pass last returned a domain. Forgetting only repeats a record. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline __u64 domain_key(const void *hierarchy)
{
	if (layout.id == ABSENT || layout.derive)
		return (__u64)hierarchy;
	return load64(hierarchy + layout.id);
}

static __always_inline void read_creator(struct domain_record *rec, const void *hierarchy,
					 struct task_struct *visited)
{
	const void *details;
	__u64 pid;

	if (layout.details == ABSENT)
		return;
	details = (void *)load64(hierarchy + layout.details);
	if (!details)
		return;
	pid = load64(details + layout.creator_pid);
	rec->creator_uid = load32(details + layout.creator_uid);
	READ(rec->creator_comm, details + layout.creator_comm);
	rec->creator_pid = pid_number(pid, visited, layout.pid_level);
}

static __always_inline int put_domain(struct seq_file *seq, const void *domain, const void *hierarchy,
				      __u32 depth, __u32 num_rules, struct task_struct *visited)
{
	struct domain_record rec = {
		.h = { RECORD_DOMAIN, sizeof(rec) },
		.depth = depth,
		.num_rules = num_rules,
	};
	const void *parent;

	rec.key = domain_key(hierarchy);
	parent = (void *)load64(hierarchy + layout.parent);
	rec.parent = parent ? domain_key(parent) : 0;
	if (!layout.signs || !signs_of(hierarchy))
		rec.mask = layer_mask(domain, depth - 1);
	if (layout.log_status != ABSENT)
		rec.log_status = load32(hierarchy + layout.log_status);
	if (layout.denials != ABSENT)
		rec.denials = load64(hierarchy + layout.denials);
	read_creator(&rec, hierarchy, visited);
	return bpf_seq_write(seq, &rec, sizeof(rec));
}

/*
 * Returns the domain and all that it is nested in, but for those that this
 * pass has returned. The pass is marked in a second walk: a full buffer throws
 * away what this call wrote and calls again, so that a mark must not come
 * before the last write.
 *
 * mark is odd for a domain that a task is in itself: only then the number of
 * its rules is at hand. An account that has had its share has no more described.
 */
static __always_inline int put_domains(struct seq_file *seq, __u64 session, const void *domain,
				       const void *innermost, struct task_struct *visited,
				       struct control_block *ctl, struct scratch *tmp,
				       const struct task_record *rec)
{
	struct spent *spent;
	__u64 mark = session * 2;
	const void *hierarchy = innermost;
	__u32 num_layers, num_rules = ABSENT, depth;
	__u64 key = rec->domain, began, *last;
	int i;

	/* Tasks that are started together are often in one domain. */
	if (key == tmp->described.key && mark + 1 == tmp->described.mark)
		return 0;
	last = bpf_map_lookup_elem(&seen, &key);
	if (last && *last == mark + 1) {
		tmp->described.key = key;
		tmp->described.mark = mark + 1;
		return 0;
	}
	began = bpf_ktime_get_ns();
	spent = get_spent(ctl, tmp, rec, session);
	if (!spent || spent->domains >= ctl->max_domains[is_favoured(ctl, rec) & 1])
		return 0;

	num_layers = load32(domain + layout.num_layers);
	if (layout.num_rules != ABSENT)
		num_rules = load32(domain + layout.num_rules);

	for (i = 0, depth = num_layers; i < layout.max_layers && depth > 0 && hierarchy; i++, depth--) {
		if (i > 0) {
			key = domain_key(hierarchy);
			last = bpf_map_lookup_elem(&seen, &key);
			if (last && *last / 2 == session)
				break;
		}
		if (put_domain(seq, domain, hierarchy, depth, i ? ABSENT : num_rules, visited))
			return 1;
		hierarchy = (void *)load64(hierarchy + layout.parent);
	}

	hierarchy = innermost;
	for (i = 0, depth = num_layers; i < layout.max_layers && depth > 0 && hierarchy; i++, depth--) {
		__u64 now = i ? mark : mark + 1;

		key = domain_key(hierarchy);
		last = bpf_map_lookup_elem(&seen, &key);
		if (last && i > 0 && *last / 2 == session)
			break;
		if (!last || *last / 2 != session)
			spent->domains++;
		if (last)
			*last = now;
		else
			bpf_map_update_elem(&seen, &key, &now, BPF_ANY);
		hierarchy = (void *)load64(hierarchy + layout.parent);
	}
	note_time(ctl, PROGRAM_SCAN, began);
	return 0;
}

/* Returns the key of the domain that a thread acts in. */
static __always_inline __u64 acting_key(struct task_struct *task)
{
	const void *domain = 0, *hierarchy = 0;

	READ(domain, BPF_CORE_READ(task, cred, security) + layout.blob);
	if (domain)
		READ(hierarchy, domain + layout.hierarchy);
	return hierarchy ? domain_key(hierarchy) : 0;
}

#endif
