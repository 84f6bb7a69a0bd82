/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the rules of a task's domain grant everywhere: on its root directory, or
 * above it. That changes while the domain does not, by chroot(2), rename(2) and
 * mount(2), so it is looked for in the pass that states it.
 *
 * A domain holds its rules on inodes in a red-black tree, by the address of
 * Landlock's object of the inode. So for each directory from the root directory
 * up to the top of the mounts one search finds its rule, however many there are.
 */
#ifndef LANDLOCKD_VIEWS_H
#define LANDLOCKD_VIEWS_H

#define ROOT_STEPS 64

/* A red-black tree of as many nodes as Landlock allows (2^32) is at most 64 deep. */
#define TREE_STEPS 64

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

/* One layer's part of a rule: what it grants, at which depth. */
struct grant {
	__u32 level; /* from 1; 0: none that is known */
	__u32 access;
};

static __always_inline struct grant read_grant(const void *layer)
{
	struct grant g = {
		.level = read_number(layer + rules_layout.level, rules_layout.level_size),
		.access = read_number(layer + rules_layout.access, rules_layout.access_size),
	};

	if (g.level > RULE_LAYERS)
		g.level = 0;
	return g;
}

/* What a search looks for, and where it is. */
struct search {
	__u64 node;
	__u64 key;
	__u64 found; /* the rule */
};

static long search_step(__u32 i, struct search *s)
{
	struct rb_node *node = (void *)s->node;
	const void *rule = (void *)node - rules_layout.node;
	__u64 key = 0;

	if (!node)
		return 1;
	READ(key, rule + rules_layout.key);
	if (key == s->key) {
		s->found = (__u64)rule;
		return 1;
	}
	s->node = (__u64)(key < s->key ? BPF_CORE_READ(node, rb_right) : BPF_CORE_READ(node, rb_left));
	return 0;
}

static long add_grant(__u32 i, __u64 *layer)
{
	struct scratch *tmp = get_scratch();
	struct grant g = read_grant((void *)*layer);
	__u32 at = g.level - 1;

	if (!tmp)
		return 1;
	*layer += rules_layout.layer_size;
	if (!g.level)
		return 0;
	/* The verifier must see the bound, the compiler not. */
	asm volatile("" : "+r"(at));
	tmp->everywhere[at % RULE_LAYERS] |= g.access;
	return 0;
}

/* Finds the key of rules on a file. Returns 0 if no domain has any. */
static __always_inline bool rules_key(struct ascent *a, struct dentry *dentry, __u64 *key)
{
	__u64 inode = (__u64)BPF_CORE_READ(dentry, d_inode), back = 0;
	const void *blob = BPF_CORE_READ(dentry, d_inode, i_security);

	if (!blob)
		return 0;
	READ(*key, blob + layout.object);
	if (!*key)
		return 0;
	READ(back, *key + rules_layout.inode);
	if (back && back != inode)
		a->view = VIEW_CHANGING;
	return back == inode;
}

/* Adds what rules on a directory grant. */
static __always_inline void search_directory(struct ascent *a, struct dentry *dentry)
{
	struct search s = { .node = a->tree };
	__u64 layers;
	__u32 n = 0;

	if (!a->tree)
		return;
	if (!rules_key(a, dentry, &s.key))
		return;
	bpf_loop(TREE_STEPS, search_step, &s, 0);
	if (!s.found) {
		if (s.node)
			a->view = VIEW_UNREAD;
		return;
	}
	READ(n, s.found + rules_layout.num_layers);
	layers = s.found + rules_layout.layers;
	bpf_loop(n < RULE_LAYERS ? n : RULE_LAYERS, add_grant, &layers, 0);
}

/*
 * Landlock looks for rules from a file upwards: through the directories of a
 * mount, on above the directory that the mount hides, to the mount at the top.
 */
static __always_inline long ascend_by(void (*visit)(struct ascent *, struct dentry *))
{
	struct scratch *tmp = get_scratch();
	struct dentry *dentry;
	struct ascent *a;
	struct mount *mnt;
	__u32 seq;

	if (!tmp)
		return 1;
	a = &tmp->ascent;
	dentry = (void *)a->dentry;
	mnt = (void *)a->mnt;
	/* A directory that is renamed and renamed back has another number. */
	seq = BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
	a->way = ((a->way ^ a->dentry) * 0x9e3779b97f4a7c15ULL + a->mnt) * 0xff51afd7ed558ccdULL + seq;
	if (!a->hidden) {
		if (a->dentry == a->until.dentry && a->mnt == a->until.mnt) {
			a->view = VIEW_READ;
			a->met = 1;
			return 1;
		}
		visit(a, dentry);
	}
	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root)) {
		struct mount *below = BPF_CORE_READ(mnt, mnt_parent);

		a->hidden = 1;
		a->dentry = (__u64)BPF_CORE_READ(mnt, mnt_mountpoint);
		a->mnt = (__u64)below;
		if (below != mnt)
			return 0;
		if (a->view == VIEW_TOO_DEEP)
			a->view = VIEW_READ;
		return 1;
	}
	a->hidden = 0;
	a->dentry = (__u64)BPF_CORE_READ(dentry, d_parent);
	if (a->dentry && a->dentry != (__u64)dentry)
		return 0;
	a->view = VIEW_DETACHED;
	return 1;
}

static long ascend(__u32 i, void *unused)
{
	return ascend_by(search_directory);
}

/* The number that a change of a task's root or working directory changes; odd: it is changing. */
static __always_inline __u32 fs_sequence(struct fs_struct *fs)
{
	if (bpf_core_field_exists(fs->seq.seqcount.sequence))
		return BPF_CORE_READ(fs, seq.seqcount.sequence);
	return BPF_CORE_READ((struct fs_struct___seqlock *)fs, seq.seqcount.seqcount.sequence);
}

static __always_inline void begin_ascent(struct ascent *a, __u64 dentry, __u64 mnt, __u64 tree)
{

	a->tree = tree;
	a->way = 0;
	a->hidden = 0;
	a->met = 0;
	a->view = VIEW_TOO_DEEP; /* unless it comes to an end before */
	a->dentry = dentry;
	a->mnt = mnt;
}

static __always_inline void climb(struct scratch *tmp, __u64 dentry, __u64 mnt, __u64 tree)
{
	begin_ascent(&tmp->ascent, dentry, mnt, tree);
	bpf_loop(ROOT_STEPS, ascend, 0, 0);
}

static __always_inline __u64 real_mount(struct vfsmount *mnt)
{
	return (__u64)mnt - bpf_core_field_offset(struct mount, mnt);
}

/*
 * Fills in tmp->everywhere and returns enum view. The way up is walked twice: between
 * the two, nothing on it was moved if both led through the same. A working
 * directory that is not below the root directory is a way to what rules on that
 * do not grant.
 */
static __always_inline __u32 read_view(struct scratch *tmp, struct task_struct *task, __u64 tree,
				       __u32 *any)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	__u32 seq = fs_sequence(fs), view, outside, i;
	__u64 dentry, mnt, way;

	for (i = 0; i < RULE_LAYERS; i++)
		tmp->everywhere[i] = 0;
	fence(tmp);
	dentry = (__u64)BPF_CORE_READ(fs, root.dentry);
	mnt = real_mount(BPF_CORE_READ(fs, root.mnt));
	tmp->ascent.until.dentry = 0;
	tmp->ascent.until.mnt = 0;
	climb(tmp, dentry, mnt, tree);
	way = tmp->ascent.way;
	view = tmp->ascent.view;
	fence(tmp);
	climb(tmp, dentry, mnt, 0);
	if (tmp->ascent.way != way)
		return VIEW_CHANGING;
	for (i = 0; i < RULE_LAYERS; i++)
		*any |= tmp->everywhere[i];
	if (*any && view == VIEW_READ) {
		tmp->ascent.until.dentry = dentry;
		tmp->ascent.until.mnt = mnt;
		climb(tmp, (__u64)BPF_CORE_READ(fs, pwd.dentry), real_mount(BPF_CORE_READ(fs, pwd.mnt)), 0);
		outside = tmp->ascent.view;
		if (outside == VIEW_TOO_DEEP)
			view = VIEW_TOO_DEEP;
		else if (outside != VIEW_READ || !tmp->ascent.met)
			view = VIEW_OUTSIDE;
	}
	fence(tmp);
	return seq % 2 || seq != fs_sequence(fs) ? VIEW_CHANGING : view;
}

/* Sets the record's view. Returns 1 if the buffer is full. */
static __always_inline int put_view(struct seq_file *seq, struct control_block *ctl,
				    struct scratch *tmp, __u64 session,
				    struct task_struct *task, const struct cred *cred,
				    const void *domain, struct task_record *rec)
{
	__u32 favoured = is_favoured(ctl, rec) & 1, any = 0;
	__u64 tree = 0, began, n, size, took;
	struct grants_record *grants = &tmp->grants;
	struct spent *spent;

	READ(tree, domain + rules_layout.inodes);
	if (!tree) { /* no layer has a rule on an inode, wherever the root directory is */
		rec->view = VIEW_READ;
		return 0;
	}
	spent = get_spent(ctl, rec, session);
	if (!spent || rec->depth > RULE_LAYERS || spent->view_ns > ctl->max_view_ns ||
	    ctl->view_ns[favoured] > ctl->all_view_ns) {
		rec->view = VIEW_UNREAD;
		return 0;
	}
	began = bpf_ktime_get_ns();
	rec->view = read_view(tmp, task, tree, &any);
	took = bpf_ktime_get_ns() - began;
	if (!spent->view_ns)
		ctl->view_accounts++;
	spent->view_ns += took;
	ctl->view_ns[favoured] += took;
	/* What it restricts itself to meanwhile may be with another root directory. */
	if (task->real_cred != cred)
		rec->view = VIEW_CHANGING;
	if (rec->view != VIEW_READ || !any)
		return 0;
	grants->h.kind = RECORD_GRANTS;
	grants->tid = rec->tid;
	/* Rounded up, so that what follows stays aligned. */
	n = (rec->depth + 1) & ~1ULL;
	/* The verifier must see the bound of what is written, right before. */
	asm volatile("" : "+r"(n));
	if (n > RULE_LAYERS)
		return 0;
	size = sizeof(*grants) + n * sizeof(__u32);
	grants->h.size = size;
	return bpf_seq_write(seq, grants, size) != 0;
}

#endif
