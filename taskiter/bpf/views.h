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
		return load32(at);
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
	const void *node = (void *)s->node, *rule = node - rules_layout.node;
	__u64 key;

	if (!node)
		return 1;
	key = load64(rule + rules_layout.key);
	if (key == s->key) {
		s->found = (__u64)rule;
		return 1;
	}
	s->node = key < s->key ? LOAD64(struct rb_node, node, rb_right) : LOAD64(struct rb_node, node, rb_left);
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
	tmp->any |= g.access;
	return 0;
}

/* Where a directory entry is, and of what. */
struct entry_place {
	__u64 parent;
	__u64 inode;
	__u32 seq; /* a directory that is renamed and renamed back has another number */
};

static __always_inline void read_entry(struct entry_place *at, const void *dentry)
{
	at->seq = LOAD32(struct dentry, dentry, d_seq.seqcount.sequence);
	at->parent = LOAD64(struct dentry, dentry, d_parent);
	at->inode = LOAD64(struct dentry, dentry, d_inode);
}

static __always_inline void read_mount(struct mount_place *at, const void *mnt)
{
	at->parent = LOAD64(struct mount, mnt, mnt_parent);
	at->mountpoint = LOAD64(struct mount, mnt, mnt_mountpoint);
	at->root = LOAD64(struct mount, mnt, mnt.mnt_root);
}

/* Finds the key of rules on a file. Returns 0 if no domain has any. */
static __always_inline bool rules_key(struct ascent *a, __u64 inode, __u64 *key)
{
	const void *blob = (void *)LOAD64(struct inode, inode, i_security);
	__u64 back;

	if (!blob)
		return 0;
	*key = load64(blob + layout.object);
	if (!*key)
		return 0;
	back = load64((void *)*key + rules_layout.inode);
	if (back && back != inode)
		a->view = VIEW_CHANGING;
	return back == inode;
}

/* Adds what rules on a directory grant. */
static __always_inline void search_directory(struct ascent *a, __u64 inode)
{
	struct search s = { .node = a->tree };
	__u64 layers;
	__u32 n;

	if (!a->tree)
		return;
	if (!rules_key(a, inode, &s.key))
		return;
	bpf_loop(TREE_STEPS, search_step, &s, 0);
	if (!s.found) {
		if (s.node)
			a->view = VIEW_UNREAD;
		return;
	}
	n = load32((void *)s.found + rules_layout.num_layers);
	layers = s.found + rules_layout.layers;
	bpf_loop(n < RULE_LAYERS ? n : RULE_LAYERS, add_grant, &layers, 0);
}

/*
 * Landlock looks for rules from a file upwards: through the directories of a
 * mount, on above the directory that the mount hides, to the mount at the top.
 */
static __always_inline long ascend_by(void (*visit)(struct ascent *, __u64 inode))
{
	struct scratch *tmp = get_scratch();
	struct entry_place at = {};
	struct ascent *a;

	if (!tmp)
		return 1;
	a = &tmp->ascent;
	read_entry(&at, (void *)a->dentry);
	a->way = ((a->way ^ a->dentry) * 0x9e3779b97f4a7c15ULL + a->mnt) * 0xff51afd7ed558ccdULL;
	a->way = (a->way ^ at.inode) * 0x9e3779b97f4a7c15ULL + at.seq;
	if (!a->hidden) {
		if (a->dentry == a->until.dentry && a->mnt == a->until.mnt) {
			a->view = VIEW_READ;
			a->met = 1;
			return 1;
		}
		visit(a, at.inode);
	}
	if (a->placed != a->mnt) {
		a->placed = a->mnt;
		read_mount(&a->place, (void *)a->mnt);
	}
	if (a->dentry == a->place.root) {
		bool top = a->place.parent == a->mnt;

		a->hidden = 1;
		a->dentry = a->place.mountpoint;
		a->mnt = a->place.parent;
		if (!top)
			return 0;
		if (a->view == VIEW_TOO_DEEP)
			a->view = VIEW_READ;
		return 1;
	}
	a->hidden = 0;
	if (at.parent && at.parent != a->dentry) {
		a->dentry = at.parent;
		return 0;
	}
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
		return fs->seq.seqcount.sequence;
	return ((struct fs_struct___seqlock *)fs)->seq.seqcount.seqcount.sequence;
}

static __always_inline void begin_ascent(struct ascent *a, __u64 dentry, __u64 mnt, __u64 tree)
{
	a->tree = tree;
	a->way = 0;
	a->placed = 0;
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

static __always_inline __u64 real_mount(__u64 mnt)
{
	return mnt - bpf_core_field_offset(struct mount, mnt);
}

/*
 * Whether the rules of a domain were searched for on this root directory before, and all stood
 * where it stands now. They need not be searched again for then: a domain's rules never change,
 * and it holds the inodes that they are on. So one that is on the way now, and that there is a
 * rule on, was at its address then, too, and no rule is missed. (It holds them until their
 * filesystem is unmounted: of that nothing is on a way any more.) Which domain it is only an ID
 * shows: addresses are used again.
 */
static __always_inline bool is_viewed(struct scratch *tmp, __u64 session, __u64 domain,
				      __u64 dentry, __u64 mnt)
{
	if (layout.id == ABSENT || layout.derive || tmp->viewed.session != session ||
	    tmp->viewed.domain != domain || tmp->viewed.dentry != dentry || tmp->viewed.mnt != mnt)
		return 0;
	climb(tmp, dentry, mnt, 0);
	return tmp->ascent.way == tmp->viewed.way;
}

/* Fills in tmp->everywhere and tmp->viewed. */
static __always_inline __u32 search_view(struct scratch *tmp, __u64 session, __u64 domain,
					 __u64 tree, __u64 dentry, __u64 mnt)
{
	__u64 way;
	__u32 view, i;

	tmp->viewed.session = 0;
	for (i = 0; i < RULE_LAYERS; i++)
		tmp->everywhere[i] = 0;
	tmp->any = 0;
	climb(tmp, dentry, mnt, tree);
	way = tmp->ascent.way;
	view = tmp->ascent.view;
	fence(tmp);
	climb(tmp, dentry, mnt, 0);
	if (tmp->ascent.way != way)
		return VIEW_CHANGING;
	if (view == VIEW_READ) {
		tmp->viewed.session = session;
		tmp->viewed.domain = domain;
		tmp->viewed.dentry = dentry;
		tmp->viewed.mnt = mnt;
		tmp->viewed.way = way;
	}
	return view;
}

/*
 * Fills in tmp->everywhere and returns enum view. The way up is walked twice: between
 * the two, nothing on it was moved if both led through the same. A working
 * directory that is not below the root directory is a way to what rules on that
 * do not grant.
 */
static __always_inline __u32 read_view(struct scratch *tmp, struct task_struct *task, __u64 session,
				       __u64 domain, __u64 tree, __u32 *any)
{
	struct fs_struct *fs = task->fs;
	__u32 seq = fs_sequence(fs), view, outside;
	__u64 dentry, mnt;

	fence(tmp);
	dentry = LOAD64(struct fs_struct, fs, root.dentry);
	mnt = real_mount(LOAD64(struct fs_struct, fs, root.mnt));
	tmp->ascent.until.dentry = 0;
	tmp->ascent.until.mnt = 0;
	view = VIEW_READ;
	if (!is_viewed(tmp, session, domain, dentry, mnt))
		view = search_view(tmp, session, domain, tree, dentry, mnt);
	if (view == VIEW_CHANGING)
		return view;
	*any = tmp->any;
	if (*any && view == VIEW_READ) {
		tmp->ascent.until.dentry = dentry;
		tmp->ascent.until.mnt = mnt;
		climb(tmp, LOAD64(struct fs_struct, fs, pwd.dentry), real_mount(LOAD64(struct fs_struct, fs, pwd.mnt)), 0);
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
	__u64 tree, began, n, size, took;
	struct grants_record *grants = &tmp->grants;
	struct spent *spent;

	tree = load64(domain + rules_layout.inodes);
	tmp->rooted = tree != 0;
	if (!tree) { /* no layer has a rule on an inode, wherever the root directory is */
		rec->view = VIEW_READ;
		return 0;
	}
	spent = get_spent(ctl, tmp, rec, session);
	if (!spent || rec->depth > RULE_LAYERS || spent->view_ns > ctl->max_view_ns ||
	    ctl->view_ns[favoured] > ctl->all_view_ns) {
		rec->view = VIEW_UNREAD;
		return 0;
	}
	began = bpf_ktime_get_ns();
	rec->view = read_view(tmp, task, session, rec->domain, tree, &any);
	took = note_time(ctl, PROGRAM_SCAN, began);
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
