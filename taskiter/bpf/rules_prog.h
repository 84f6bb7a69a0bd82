/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The program rules: the rules of a domain. A domain holds the rules of all its layers in two
 * red-black trees, one for inodes and one for ports, which never change. Each
 * rule says for each layer that has it which rights it grants.
 *
 * A call returns some rules in the order of their keys, from a key on, and stops
 * by the clock. User space remembers how far it came: what a call wrote may be
 * thrown away and written again.
 */
#ifndef LANDLOCKD_RULES_PROG_H
#define LANDLOCKD_RULES_PROG_H

#include <bpf/bpf_endian.h>

/* More than a walk over as many rules as a record has room for takes. */
#define WALK_STEPS (4 * RULES_MAX)

/* A call looks no longer for rules than this. */
#define CALL_NS 400000

enum came {
	FROM_ABOVE,
	FROM_LEFT, /* or there is nothing to the left that is wanted */
	FROM_RIGHT,
};

/* Where a walk in the order of keys is, and which way it came there. */
struct walk {
	__u64 node;
	__u64 came; /* enum came */
};

struct rules_scratch {
	struct rules_record rec;
	struct rule_entry rules[RULES_MAX];
	struct walk walk;
	__u64 began;
	__u32 levels; /* of struct want */
	struct rule_entry entry; /* of the rule */
	struct launcher_record launcher;
	char launcher_path[LAUNCHER_MAX];
	/* Of the places of the rules. */
	struct places_record places;
	__u64 words[PLACE_WORDS];
	__u64 num_words;
	__u64 wants_places;
	struct {
		__u64 dentry;
		__u64 notes; /* 1: names are added */
		__u64 way;   /* stands for all that it led through */
		__u64 top;   /* 1: it came to the top of a filesystem */
	} climb;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rules_scratch);
} rules_scratch SEC(".maps");

static __always_inline struct rules_scratch *get_rules_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&rules_scratch, &zero);
}

#include "places.h"

static long note_layer(__u32 i, __u64 *layer)
{
	struct rules_scratch *tmp = get_rules_scratch();
	struct grant g = read_grant((void *)*layer);
	struct rule_entry *entry;
	__u32 at;

	if (!tmp)
		return 1;
	*layer += rules_layout.layer_size;
	at = tmp->rec.num_rules;
	if (!g.level || !(tmp->levels >> ((g.level - 1) & 31) & 1) || at >= RULES_MAX)
		return 0;
	entry = &tmp->rules[at];
	entry->object = tmp->entry.object;
	entry->dev = tmp->entry.dev;
	entry->bits = tmp->entry.bits;
	entry->access = g.access;
	entry->level = g.level;
	entry->place = tmp->entry.place;
	tmp->rec.num_rules = at + 1;
	return 0;
}

static __always_inline void note_rule(struct rules_scratch *tmp, const void *rule, __u64 key)
{
	__u64 layers = (__u64)rule + rules_layout.layers, inode = 0;
	__u32 n = 0, before = tmp->rec.num_rules;

	READ(n, rule + rules_layout.num_layers);
	tmp->entry.object = 0;
	tmp->entry.dev = 0;
	tmp->entry.bits = 0;
	tmp->entry.place = 0;
	if (tmp->rec.tree == TREE_PORTS) {
		tmp->entry.bits = RULE_PORT;
		tmp->entry.object = bpf_ntohs((__u16)key);
	} else {
		READ(inode, key + rules_layout.inode);
	}
	/* It is gone if its filesystem is not mounted any more. */
	if (inode) {
		struct inode *at = (void *)inode;

		tmp->entry.object = BPF_CORE_READ(at, i_ino);
		tmp->entry.dev = BPF_CORE_READ(at, i_sb, s_dev);
		if (BPF_CORE_READ(at, i_sb, s_root, d_inode) == at)
			tmp->entry.bits = RULE_FS_ROOT;
	}
	if (inode && tmp->wants_places)
		tmp->entry.place = tmp->num_words + 1;
	bpf_loop(n < RULE_LAYERS ? n : RULE_LAYERS, note_layer, &layers, 0);
	if (tmp->entry.place && tmp->rec.num_rules > before)
		note_place(tmp, (void *)inode, key);
}

/* The least key that is not less than the wanted one: where a walk begins. */
static long bound_step(__u32 i, struct search *s)
{
	struct rb_node *node = (void *)s->node;
	__u64 key = 0;

	if (!node)
		return 1;
	READ(key, (void *)node - rules_layout.node + rules_layout.key);
	if (key >= s->key) {
		s->found = (__u64)node;
		s->node = (__u64)BPF_CORE_READ(node, rb_left);
	} else {
		s->node = (__u64)BPF_CORE_READ(node, rb_right);
	}
	return 0;
}

static long walk_step(__u32 i, void *unused)
{
	struct rules_scratch *tmp = get_rules_scratch();
	struct rb_node *node, *above;
	__u64 left, right, key = 0;
	struct walk *w;

	if (!tmp || !tmp->walk.node)
		return 1;
	w = &tmp->walk;
	node = (void *)w->node;
	left = (__u64)BPF_CORE_READ(node, rb_left);
	if (w->came == FROM_ABOVE && left) {
		w->node = left;
		return 0;
	}
	if (w->came != FROM_RIGHT) {
		/* The next one may need room for all layers. */
		if (tmp->rec.num_rules > RULES_MAX - RULE_LAYERS ||
		    tmp->num_words > PLACE_WORDS - ROOT_STEPS - 2 || bpf_ktime_get_ns() - tmp->began > CALL_NS)
			return 1;
		READ(key, (void *)node - rules_layout.node + rules_layout.key);
		note_rule(tmp, (void *)node - rules_layout.node, key);
		tmp->rec.next = key + 1;
		right = (__u64)BPF_CORE_READ(node, rb_right);
		if (right) {
			w->came = FROM_ABOVE;
			w->node = right;
			return 0;
		}
	}
	above = (void *)(BPF_CORE_READ(node, __rb_parent_color) & ~3ULL);
	w->node = (__u64)above;
	if (above)
		w->came = BPF_CORE_READ(above, rb_left) == node ? FROM_LEFT : FROM_RIGHT;
	return 0;
}

/* Reports whether it came to the tree's end. */
static __always_inline bool walk_tree(struct rules_scratch *tmp, const void *domain, __u32 root)
{
	struct search s = { .key = tmp->rec.next };

	if (root != ABSENT)
		READ(s.node, domain + root);
	bpf_loop(TREE_STEPS, bound_step, &s, 0);
	tmp->walk.node = s.found;
	tmp->walk.came = FROM_LEFT;
	bpf_loop(WALK_STEPS, walk_step, 0, 0);
	return !tmp->walk.node;
}

static __always_inline void walk_rules(struct rules_scratch *tmp, const void *domain)
{
	if (tmp->rec.tree == TREE_PORTS) {
		if (!walk_tree(tmp, domain, rules_layout.ports))
			return;
		tmp->rec.tree = TREE_INODES;
		tmp->rec.next = 0;
	}
	if (walk_tree(tmp, domain, rules_layout.inodes))
		tmp->rec.done = 1;
}

/* Returns 1 if the buffer is full. */
static __always_inline int put_places(struct seq_file *seq, struct rules_scratch *tmp)
{
	__u64 words = tmp->num_words, size;

	asm volatile("" : "+r"(words));
	if (words > PLACE_WORDS)
		return 1;
	size = sizeof(tmp->places) + words * sizeof(__u64);
	tmp->places.h.kind = RECORD_PLACES;
	tmp->places.h.size = size;
	tmp->places.num_words = words;
	return words && bpf_seq_write(seq, &tmp->places, size);
}

/* Returns who created the wanted layers: what ran then. */
static __always_inline void put_launchers(struct seq_file *seq, struct rules_scratch *tmp, const void *hierarchy)
{
	struct launcher_record *rec = &tmp->launcher;
	__u32 level = tmp->rec.num_layers;
	int i;

	if (layout.creator_exe == ABSENT)
		return;
	rec->h.kind = RECORD_LAUNCHER;
	rec->h.size = sizeof(*rec) + LAUNCHER_MAX;
	for (i = 0; i < RULE_LAYERS && level > 0 && hierarchy; i++) {
		const void *details = 0;

		level--;
		if (tmp->levels >> (level & 31) & 1) {
			rec->key = domain_key(hierarchy);
			READ(details, hierarchy + layout.details);
			tmp->launcher_path[0] = 0;
			if (details)
				bpf_probe_read_kernel_str(tmp->launcher_path, LAUNCHER_MAX,
							  details + layout.creator_exe);
			if (bpf_seq_write(seq, rec, sizeof(*rec) + LAUNCHER_MAX))
				return;
		}
		READ(hierarchy, hierarchy + layout.parent);
	}
}

SEC("iter/task")
int rules(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	const void *domain = 0, *hierarchy = 0;
	struct rules_scratch *tmp;
	struct rules_record *rec;
	struct control_block *ctl;
	const struct want *want;
	__u32 n = 0, num;
	__u64 size;
	__s32 tid;

	if (!task) {
		struct end_record end = { .h = { RECORD_END, sizeof(end) }, .pid_level = layout.pid_level };

		bpf_seq_write(seq, &end, sizeof(end));
		return 0;
	}
	task = plain_task(task);
	ctl = get_control();
	tmp = get_rules_scratch();
	if (!ctl || !tmp)
		return 0;
	tid = tid_of(task);
	want = &ctl->wants[(__u32)tid % WANT_SLOTS];
	if (!tid || want->tid != tid)
		return 0;
	tmp->began = bpf_ktime_get_ns();
	if (!want->urgent && ctl->deadline && tmp->began > ctl->deadline)
		return 0;
	READ(domain, task->real_cred->security + layout.blob);
	if (!domain)
		return 0;
	READ(hierarchy, domain + layout.hierarchy);
	READ(n, domain + layout.num_layers);
	if (!hierarchy || n > RULE_LAYERS) /* possible before Linux 5.19 */
		return 0;

	rec = &tmp->rec;
	rec->tid = tid;
	rec->start = task->start_boottime;
	rec->exec_id = task->self_exec_id;
	rec->domain = domain_key(hierarchy);
	rec->tree = want->tree;
	rec->next = want->from;
	rec->done = 0;
	rec->num_rules = 0;
	rec->num_layers = n;
	tmp->levels = want->levels;
	tmp->num_words = 0;
	tmp->wants_places = want->places;
	walk_rules(tmp, domain);
	if (put_places(seq, tmp))
		return 0;

	num = rec->num_rules;
	if (num > RULES_MAX)
		return 0;
	size = sizeof(*rec) + num * sizeof(struct rule_entry);
	rec->h.kind = RECORD_RULES;
	rec->h.size = size;
	if (!bpf_seq_write(seq, rec, size) && rec->done)
		put_launchers(seq, tmp, hierarchy);
	note_time(ctl, PROGRAM_RULES, tmp->began);
	return 0;
}

#endif
