/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The rules of a domain. A domain holds the rules of all its layers in two
 * red-black trees, one for inodes and one for ports, which never change. Each
 * rule says for each layer that has it which rights it grants.
 */
#ifndef LANDLOCKD_RULES_H
#define LANDLOCKD_RULES_H

#include <bpf/bpf_endian.h>

#define ROOTS_MAX 32
#define ROOT_STEPS 64

/* A tree of n rules is walked in less than 2n steps. */
#define WALK_STEPS (1U << 18)

volatile const struct rules_layout rules_layout = {};

struct rules_scratch {
	struct rules_record rec;
	/*
	 * The inodes that every path which the task can resolve leads through:
	 * its root directory and all above it.
	 */
	__u64 roots[ROOTS_MAX];
	__u32 num_roots;
	__u32 hidden; /* 1: a mount hides the directory that the way up has come to */
	__u32 ports;  /* 1: the tree of ports is walked */
	__u32 everywhere; /* all bits if the rule is on one of roots */
	struct rule_entry entry; /* of the rule */
	struct launcher_record launcher;
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

/* Where the way up from a task's root directory is. */
struct ascent {
	__u64 dentry;
	__u64 mnt;
};

/*
 * Landlock looks for rules from a file upwards: through the directories of a
 * mount, on above the directory that the mount hides, to the mount at the top.
 */
static long ascend(__u32 i, struct ascent *a)
{
	struct rules_scratch *tmp = get_rules_scratch();
	struct dentry *dentry = (void *)a->dentry;
	struct mount *mnt = (void *)a->mnt;
	__u32 n;

	if (!tmp || !dentry || !mnt)
		return 1;
	n = tmp->num_roots;
	if (!tmp->hidden && n < ROOTS_MAX) {
		tmp->roots[n] = (__u64)BPF_CORE_READ(dentry, d_inode);
		tmp->num_roots = n + 1;
	}
	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root)) {
		struct mount *below = BPF_CORE_READ(mnt, mnt_parent);

		tmp->hidden = 1;
		a->dentry = (__u64)BPF_CORE_READ(mnt, mnt_mountpoint);
		a->mnt = (__u64)below;
		return below == mnt;
	}
	tmp->hidden = 0;
	a->dentry = (__u64)BPF_CORE_READ(dentry, d_parent);
	return a->dentry == (__u64)dentry;
}

static __always_inline void read_roots(struct rules_scratch *tmp, struct task_struct *task)
{
	struct ascent a = {
		.dentry = (__u64)BPF_CORE_READ(task, fs, root.dentry),
		.mnt = (__u64)BPF_CORE_READ(task, fs, root.mnt) - bpf_core_field_offset(struct mount, mnt),
	};

	tmp->num_roots = 0;
	tmp->hidden = 0;
	tmp->roots[0] = 0;
	bpf_loop(ROOT_STEPS, ascend, &a, 0);
}

/* Where a layer's sums are. The verifier must see the bound, the compiler not. */
static __always_inline struct layer_entry *sum_of(struct rules_record *rec, __u32 level)
{
	__u32 i = level - 1;

	asm volatile("" : "+r"(i));
	return &rec->layers[i % RULE_LAYERS];
}

static __always_inline __u32 read_number(const void *at, __u32 size)
{
	__u32 wide = 0;
	__u16 half = 0;
	__u8 byte = 0;

	switch (size) {
	case 1:
		READ(byte, at);
		return byte;
	case 2:
		READ(half, at);
		return half;
	default:
		READ(wide, at);
		return wide;
	}
}

/* The rule that is looked at: where it says what it grants in the next layer. */
struct grants {
	__u64 layer;
};

static long note_layer(__u32 i, struct grants *g)
{
	struct rules_scratch *tmp = get_rules_scratch();
	const void *layer = (void *)g->layer;
	__u32 at, access, level, bit;
	struct layer_entry *sum;
	struct rule_entry *entry;

	if (!tmp)
		return 1;
	level = read_number(layer + rules_layout.level, rules_layout.level_size);
	access = read_number(layer + rules_layout.access, rules_layout.access_size);
	g->layer += rules_layout.layer_size;
	if (level < 1 || level > RULE_LAYERS)
		return 0;
	sum = sum_of(&tmp->rec, level);
	sum->everywhere |= access & tmp->everywhere;
	if (!tmp->ports)
		sum->inodes++;
	else
		sum->ports++;
	if (tmp->ports && tmp->entry.object)
		for (bit = 0; bit < NET_RIGHTS; bit++)
			sum->granted[bit] += access >> bit & 1;
	at = tmp->rec.num_rules;
	if (at >= RULES_MAX)
		return 0;
	entry = &tmp->rec.rules[at];
	entry->object = tmp->entry.object;
	entry->dev = tmp->entry.dev;
	entry->bits = tmp->entry.bits;
	entry->access = access;
	entry->level = level;
	tmp->rec.num_rules = at + 1;
	return 0;
}

static long match_root(__u32 i, __u64 *inode)
{
	struct rules_scratch *tmp = get_rules_scratch();

	if (!tmp || i >= tmp->num_roots || i >= ROOTS_MAX)
		return 1;
	if (tmp->roots[i] != *inode)
		return 0;
	tmp->everywhere = ~0U;
	return 1;
}

static __always_inline void note_rule(struct rules_scratch *tmp, const void *rule)
{
	struct grants g = { .layer = (__u64)rule + rules_layout.layers };
	__u64 key = 0, inode = 0;
	__u32 n = 0;

	READ(key, rule + rules_layout.key);
	READ(n, rule + rules_layout.num_layers);
	tmp->entry.object = 0;
	tmp->entry.dev = 0;
	tmp->entry.bits = 0;
	tmp->everywhere = 0;
	if (tmp->ports) {
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
		bpf_loop(ROOTS_MAX, match_root, &inode, 0);
	}
	bpf_loop(n < RULE_LAYERS ? n : RULE_LAYERS, note_layer, &g, 0);
}

/* Where a walk is: at a node, and which it came from. */
struct walk {
	__u64 node;
	__u64 from;
};

/*
 * One step of a walk: down to the left, then to the right, then up. The way to
 * go on follows from where it came from, so that nothing needs to be remembered.
 */
static long walk_step(__u32 i, struct walk *w)
{
	struct rules_scratch *tmp = get_rules_scratch();
	struct rb_node *node = (void *)w->node;
	__u64 parent, left, right, next;

	if (!tmp || !node)
		return 1;
	parent = BPF_CORE_READ(node, __rb_parent_color) & ~3ULL;
	left = (__u64)BPF_CORE_READ(node, rb_left);
	right = (__u64)BPF_CORE_READ(node, rb_right);
	next = parent;
	if (w->from == parent) {
		note_rule(tmp, (void *)node - rules_layout.node);
		if (left)
			next = left;
		else if (right)
			next = right;
	} else if (w->from == left && right) {
		next = right;
	}
	w->from = w->node;
	w->node = next;
	return 0;
}

static __always_inline void walk_rules(struct rules_scratch *tmp, const void *domain, __u32 root, __u32 ports)
{
	struct walk w = {};

	if (root == ABSENT)
		return;
	tmp->ports = ports;
	READ(w.node, domain + root);
	bpf_loop(WALK_STEPS, walk_step, &w, 0);
	if (w.node)
		tmp->rec.bits |= RULES_UNFINISHED;
}

/* Returns who created the domain and those that it is nested in: what ran then. */
static __always_inline void put_launchers(struct seq_file *seq, struct rules_scratch *tmp, const void *hierarchy)
{
	struct launcher_record *rec = &tmp->launcher;
	int i;

	if (layout.creator_exe == ABSENT)
		return;
	rec->h.kind = RECORD_LAUNCHER;
	rec->h.size = sizeof(*rec);
	for (i = 0; i < RULE_LAYERS && hierarchy; i++) {
		const void *details = 0;

		rec->key = domain_key(hierarchy);
		READ(details, hierarchy + layout.details);
		rec->path[0] = 0;
		if (details)
			bpf_probe_read_kernel_str(rec->path, LAUNCHER_MAX, details + layout.creator_exe);
		if (bpf_seq_write(seq, rec, sizeof(*rec)))
			return;
		READ(hierarchy, hierarchy + layout.parent);
	}
}

SEC("iter/task")
int rules(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	const void *domain = 0, *innermost = 0, *hierarchy;
	struct rules_scratch *tmp;
	struct rules_record *rec;
	struct control *ctl;
	__u32 n = 0, num;
	__u64 size;
	__s32 tid;
	int i, bit;

	if (!task) {
		struct end_record end = { .h = { RECORD_END, sizeof(end) }, .pid_level = layout.pid_level };

		bpf_seq_write(seq, &end, sizeof(end));
		return 0;
	}
	ctl = get_control();
	tmp = get_rules_scratch();
	if (!ctl || !tmp)
		return 0;
	tid = layout.pid_level ? pid_number(BPF_CORE_READ(task, thread_pid), task, layout.pid_level) : task->pid;
	if (!(ctl->wanted[(__u32)tid % PID_SLOTS / 8] & (1 << ((__u32)tid % 8))))
		return 0;
	READ(domain, task->real_cred->security + layout.blob);
	if (!domain)
		return 0;
	READ(innermost, domain + layout.hierarchy);
	hierarchy = innermost;
	READ(n, domain + layout.num_layers);
	if (n > RULE_LAYERS) /* possible before Linux 5.19 */
		return 0;

	rec = &tmp->rec;
	rec->tid = tid;
	rec->start = task->start_boottime;
	rec->exec_id = task->self_exec_id;
	rec->bits = 0;
	rec->num_rules = 0;
	rec->num_layers = n;
	for (i = 0; i < RULE_LAYERS; i++) {
		rec->layers[i].key = 0;
		rec->layers[i].inodes = 0;
		rec->layers[i].ports = 0;
		rec->layers[i].everywhere = 0;
		for (bit = 0; bit < NET_RIGHTS; bit++)
			rec->layers[i].granted[bit] = 0;
	}
	for (i = 0; i < RULE_LAYERS && n > 0 && hierarchy; i++, n--) {
		sum_of(rec, n)->key = domain_key(hierarchy);
		READ(hierarchy, hierarchy + layout.parent);
	}
	read_roots(tmp, task);
	rec->root = root_key((void *)tmp->roots[0]);
	walk_rules(tmp, domain, rules_layout.ports, 1);
	walk_rules(tmp, domain, rules_layout.inodes, 0);

	num = rec->num_rules;
	if (num > RULES_MAX)
		return 0;
	size = __builtin_offsetof(struct rules_record, rules) + num * sizeof(struct rule_entry);
	rec->h.kind = RECORD_RULES;
	rec->h.size = size;
	if (!bpf_seq_write(seq, rec, size))
		put_launchers(seq, tmp, innermost);
	return 0;
}

#endif
