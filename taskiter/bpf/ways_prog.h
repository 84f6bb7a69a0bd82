/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The program ways: what leads to the objects that assets are, in each mount namespace that
 * a task in a domain has. The objects are what the resolver has open, so that they are read
 * in the same terms as rules.
 *
 * A way begins at a mount of the object's filesystem whose root is the object or above it.
 * It is stated by the rules that lie on it: all domains that were found before the program
 * runs have theirs.
 */
#ifndef LANDLOCKD_WAYS_PROG_H
#define LANDLOCKD_WAYS_PROG_H

/* Of a walk over the mounts of a namespace: each is come to, and may be come back to. */
#define MOUNT_STEPS 8192

/* A call looks no longer for ways than this. */
#define WAYS_NS 800000

/* Mounts that may be mounted on each other. */
#define MOUNT_DEPTH 32

/* Names of all objects together, and of each that has several. */
#define NAMES_MAX 256
#define ALIASES_MAX 16

/* A directory entry that an object is. */
struct name {
	__u64 dentry;
	__u64 sb;
	__u32 object;
	__u32 directory; /* 1: it is one */
};

struct ways_scratch {
	struct ways_record rec;
	__u64 words[WAY_WORDS + ROOT_STEPS];
	struct name names[NAMES_MAX];
	__u64 files; /* of the resolver */
	__u64 scan;  /* whose objects the names are of */
	__u64 num_names;
	__u64 num_words; /* more than WAY_WORDS: there was no room */
	__u64 began;
	/* Of the object whose names are read. */
	__u64 inode;
	__u64 alias; /* node of its next name */
	__u64 num_aliases;
	__u64 object;
	/* Where the walk over the mounts is. */
	__u64 ns;
	__u64 top;
	__u64 mnt;
	__u64 sb;      /* of mnt */
	__u64 came_up; /* 1: all that is mounted on mnt was seen */
	__u64 done;
	__u64 marks;   /* 1: objects above mounts are marked, else ways are added */
	/* Of the mounts from the top to mnt, which objects are above each. */
	struct {
		__u64 objects[OBJECT_WORDS];
	} depth[MOUNT_DEPTH];
	__u64 at_depth;
	__u64 marked[OBJECT_WORDS]; /* objects above any mount */
	__u64 filter; /* a bit that the address of each object sets */
	/* Whether something is below a directory. */
	__u64 below;
	__u64 above;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ways_scratch);
} ways_scratch SEC(".maps");

static __always_inline struct ways_scratch *get_ways_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ways_scratch, &zero);
}

static __always_inline void add_word(struct ways_scratch *w, __u64 word)
{
	__u64 at = w->num_words++;

	/* The verifier must see the bound, the compiler not. */
	asm volatile("" : "+r"(at));
	if (at < WAY_WORDS)
		w->words[at] = word;
}

static __always_inline __u64 way_head(__u64 object, __u64 bits, __u64 keys)
{
	return object | bits << 16 | keys << 32;
}

static __always_inline __u64 filter_bit(__u64 dentry)
{
	return 1ULL << (dentry * 0x9e3779b97f4a7c15ULL >> 58);
}

static __always_inline void add_name(struct ways_scratch *w, __u64 dentry, __u64 sb, __u32 directory)
{
	__u64 at = w->num_names;

	asm volatile("" : "+r"(at));
	if (at >= NAMES_MAX) {
		add_word(w, way_head(w->object, WAY_UNPLACED, 0));
		return;
	}
	w->names[at].dentry = dentry;
	w->names[at].sb = sb;
	w->names[at].object = w->object;
	w->names[at].directory = directory;
	w->filter |= filter_bit(dentry);
	w->num_names = at + 1;
}

/* Another name of a file, as far as the kernel remembers it. */
static long alias_step(__u32 i, void *unused)
{
	struct ways_scratch *w = get_ways_scratch();
	struct dentry *dentry;
	struct hlist_node *node;

	if (!w || !w->alias)
		return 1;
	node = (void *)w->alias;
	dentry = named_at(w->alias);
	w->alias = (__u64)BPF_CORE_READ(node, next);
	if (BPF_CORE_READ(dentry, d_hash.pprev)) { /* else it was unlinked */
		add_name(w, (__u64)dentry, (__u64)BPF_CORE_READ(dentry, d_inode, i_sb), 0);
		w->num_aliases++;
	}
	return 0;
}

static long object_step(__u32 i, void *unused)
{
	struct ways_scratch *w = get_ways_scratch();
	struct control_block *ctl = get_control();
	struct dentry *dentry;
	struct inode *inode;
	struct fdtable *fdt;
	struct file **fds, *file = 0;
	struct files_struct *files;
	__s32 fd;

	if (!w || !ctl || i >= OBJECTS_MAX || i >= ctl->num_objects)
		return 1;
	fd = ctl->objects[i];
	if (fd < 0) /* there is nothing */
		return 0;
	files = (void *)w->files;
	fdt = BPF_CORE_READ(files, fdt);
	fds = BPF_CORE_READ(fdt, fd);
	if (fd < BPF_CORE_READ(fdt, max_fds))
		READ(file, fds + fd);
	dentry = BPF_CORE_READ(file, f_path.dentry);
	inode = BPF_CORE_READ(dentry, d_inode);
	w->object = i;
	if (!inode) {
		add_word(w, way_head(i, WAY_UNREAD, 0));
		return 0;
	}
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR) {
		add_name(w, (__u64)dentry, (__u64)BPF_CORE_READ(inode, i_sb), 1);
		add_word(w, way_head(i, WAY_OBJECT, 2));
		add_word(w, file_name(inode));
		add_word(w, BPF_CORE_READ(inode, i_sb, s_dev));
		return 0;
	}
	if (BPF_CORE_READ(inode, i_nlink) < 2) {
		add_name(w, (__u64)dentry, (__u64)BPF_CORE_READ(inode, i_sb), 0);
		return 0;
	}
	w->num_aliases = 0;
	w->alias = (__u64)BPF_CORE_READ(inode, i_dentry.first);
	bpf_loop(ALIASES_MAX, alias_step, 0, 0);
	if (w->num_aliases != BPF_CORE_READ(inode, i_nlink))
		add_word(w, way_head(i, WAY_UNPLACED, 0));
	return 0;
}

static __always_inline void note_key(struct ascent *a, __u64 inode)
{
	struct ways_scratch *w = get_ways_scratch();
	__u64 key = 0;

	if (w && rules_key(a, inode, &key))
		add_word(w, key);
}

static long ascend_noting(__u32 i, void *unused)
{
	return ascend_by(note_key);
}

/* Adds the way from a directory entry, if it leads up through its mount. */
static __always_inline bool add_way(struct ways_scratch *w, struct scratch *tmp, __u64 dentry, __u32 object,
				    __u64 bits)
{
	struct ascent *a = &tmp->ascent;
	__u64 at = w->num_words, way;
	__u32 view;

	a->until.dentry = 0;
	a->until.mnt = 0;
	add_word(w, 0);
	begin_ascent(a, dentry, w->mnt, 0);
	bpf_loop(ROOT_STEPS, ascend_noting, 0, 0);
	view = a->view;
	way = a->way;
	if (view == VIEW_DETACHED && a->mnt == w->mnt) {
		w->num_words = at; /* it is not in what is mounted */
		return 0;
	}
	fence(tmp);
	climb(tmp, dentry, w->mnt, 0);
	if (view != VIEW_READ || a->way != way)
		bits |= WAY_UNREAD;
	way = way_head(object, bits, w->num_words - at - 1);
	asm volatile("" : "+r"(at));
	if (at < WAY_WORDS)
		w->words[at] = way;
	return 1;
}

static long below_step(__u32 i, void *unused)
{
	struct ways_scratch *w = get_ways_scratch();
	struct dentry *dentry;
	__u64 parent;

	if (!w || w->below == w->above)
		return 1;
	dentry = (void *)w->below;
	parent = (__u64)BPF_CORE_READ(dentry, d_parent);
	if (parent == w->below || !parent)
		return 1;
	w->below = parent;
	return 0;
}

static long name_step(__u32 i, void *unused)
{
	struct ways_scratch *w = get_ways_scratch();
	struct scratch *tmp = get_scratch();
	struct mount *mnt;
	__u64 root;
	struct name *n;

	if (!w || !tmp || i >= NAMES_MAX || i >= w->num_names)
		return 1;
	n = &w->names[i];
	if (n->sb != w->sb || add_way(w, tmp, n->dentry, n->object, 0) || !n->directory)
		return 0;
	/* What is mounted may be below the object. */
	mnt = (void *)w->mnt;
	root = (__u64)BPF_CORE_READ(mnt, mnt.mnt_root);
	w->below = root;
	w->above = n->dentry;
	bpf_loop(ROOT_STEPS, below_step, 0, 0);
	if (w->below == w->above)
		add_way(w, tmp, root, n->object, WAY_PART);
	return 0;
}

static __always_inline __u64 mounted_at(__u64 node)
{
	return node - bpf_core_field_offset(struct mount, mnt_child);
}

/* Marks an object that is above a mount. */
static long mark_step(__u32 i, void *unused)
{
	struct ways_scratch *w = get_ways_scratch();
	__u64 depth, object;

	if (!w || i >= NAMES_MAX || i >= w->num_names)
		return 1;
	depth = w->at_depth;
	object = w->names[i].object;
	if (w->names[i].dentry == w->below && depth < MOUNT_DEPTH && object < OBJECTS_MAX)
		w->depth[depth].objects[object / 64] |= 1ULL << (object % 64);
	return 0;
}

static long above_step(__u32 i, void *unused)
{
	struct ways_scratch *w = get_ways_scratch();
	struct dentry *dentry;
	__u64 parent;

	if (!w)
		return 1;
	if (w->filter & filter_bit(w->below))
		bpf_loop(NAMES_MAX, mark_step, 0, 0);
	if (w->below == w->above)
		return 1;
	dentry = (void *)w->below;
	parent = (__u64)BPF_CORE_READ(dentry, d_parent);
	if (parent == w->below || !parent)
		return 1;
	w->below = parent;
	return 0;
}

/* Marks the objects that are above a mount: those above what it is mounted on, and more. */
static __always_inline bool mark_above(struct ways_scratch *w, struct mount *mnt)
{
	__u64 depth = w->at_depth, before = depth - 1;
	struct mount *parent = BPF_CORE_READ(mnt, mnt_parent);
	int i;

	asm volatile("" : "+r"(depth), "+r"(before));
	if (depth >= MOUNT_DEPTH)
		return 0;
	if (!depth) {
		for (i = 0; i < OBJECT_WORDS; i++)
			w->depth[0].objects[i] = 0;
		return 1;
	}
	if (before >= MOUNT_DEPTH)
		return 0;
	for (i = 0; i < OBJECT_WORDS; i++)
		w->depth[depth].objects[i] = w->depth[before].objects[i];
	w->below = (__u64)BPF_CORE_READ(mnt, mnt_mountpoint);
	w->above = (__u64)BPF_CORE_READ(parent, mnt.mnt_root);
	bpf_loop(ROOT_STEPS, above_step, 0, 0);
	for (i = 0; i < OBJECT_WORDS; i++)
		w->marked[i] |= w->depth[depth].objects[i];
	return w->below == w->above;
}

/* One step of the walk over the tree of a namespace's mounts. */
static long mount_step(__u32 i, void *unused)
{
	struct ways_scratch *w = get_ways_scratch();
	struct mount *mnt, *parent;
	__u64 next, list;

	if (!w || bpf_ktime_get_ns() - w->began > WAYS_NS)
		return 1;
	mnt = (void *)w->mnt;
	if (!w->came_up) {
		if ((__u64)BPF_CORE_READ(mnt, mnt_ns) != w->ns)
			return 1;
		if (w->marks) {
			if (!mark_above(w, mnt))
				return 1;
		} else {
			w->sb = (__u64)BPF_CORE_READ(mnt, mnt.mnt_sb);
			bpf_loop(NAMES_MAX, name_step, 0, 0);
		}
		list = w->mnt + bpf_core_field_offset(struct mount, mnt_mounts);
		next = (__u64)BPF_CORE_READ(mnt, mnt_mounts.next);
		if (next != list) {
			w->mnt = mounted_at(next);
			w->at_depth++;
			return 0;
		}
	}
	if (w->mnt == w->top) {
		w->done = 1;
		return 1;
	}
	parent = BPF_CORE_READ(mnt, mnt_parent);
	list = (__u64)parent + bpf_core_field_offset(struct mount, mnt_mounts);
	next = (__u64)BPF_CORE_READ(mnt, mnt_child.next);
	w->came_up = next == list;
	w->at_depth -= w->came_up;
	w->mnt = w->came_up ? (__u64)parent : mounted_at(next);
	return 0;
}

/* Whether a mount namespace is still as it was. */
static __always_inline bool is_same(struct ways_scratch *w, __u64 event)
{
	struct mnt_namespace *ns = (void *)w->ns;

	return BPF_CORE_READ(ns, event) == event && (__u64)BPF_CORE_READ(ns, root) == w->top;
}

/* Walks over all mounts of a namespace that still is as it was at an event. */
static __always_inline void walk_mounts(struct ways_scratch *w, struct scratch *tmp, __u64 event)
{
	w->mnt = w->top;
	w->came_up = 0;
	w->at_depth = 0;
	w->done = 0;
	fence(tmp);
	if (is_same(w, event))
		bpf_loop(MOUNT_STEPS, mount_step, 0, 0);
	fence(tmp);
	if (w->num_words > WAY_WORDS || !is_same(w, event))
		w->done = 0;
}

/*
 * The event that a namespace must still be at. Root's is looked at as it is now: users may have
 * much mounted there, by setuid programs, and a task that was in it a moment ago is, or has
 * CAP_SYS_ADMIN. In a user's own it must be as it was when the task was seen.
 */
static __always_inline __u64 wanted_event(const struct space *space)
{
	struct mnt_namespace *ns = (void *)space->ns;
	__u64 now = BPF_CORE_READ(ns, event), then = space->event;

	return BPF_CORE_READ(ns, user_ns, ns.inum) == INIT_USER_NS ? now : then;
}

static __always_inline void begin_walk(struct ways_scratch *w, const struct space *space)
{
	struct mnt_namespace *ns = (void *)space->ns;

	w->began = bpf_ktime_get_ns();
	w->ns = space->ns;
	w->top = (__u64)BPF_CORE_READ(ns, root);
	w->rec.bits = 0;
	w->num_words = 0;
}

/* Returns 0 if there are too many words. */
static __always_inline int put_ways(struct seq_file *seq, struct control_block *ctl, struct ways_scratch *w,
				    __u32 number)
{
	__u64 words = w->num_words, size;

	w->rec.h.kind = RECORD_WAYS;
	w->rec.space = number;
	w->rec.num_words = words;
	note_time(ctl, PROGRAM_WAYS, w->began);
	asm volatile("" : "+r"(words));
	if (words > WAY_WORDS)
		return 0;
	size = sizeof(w->rec) + words * sizeof(__u64);
	w->rec.h.size = size;
	return bpf_seq_write(seq, w, size);
}

static long marked_step(__u32 i, void *unused)
{
	struct ways_scratch *w = get_ways_scratch();

	if (!w || i >= OBJECTS_MAX)
		return 1;
	if (w->marked[i / 64] >> (i % 64) & 1)
		add_word(w, way_head(i, WAY_MOUNTED, 0));
	return 0;
}

/* Reads the objects, which all further calls are about, and what holds of them everywhere. */
static __always_inline int put_objects_found(struct seq_file *seq, struct control_block *ctl,
					     struct ways_scratch *w, struct scratch *tmp,
					     const struct space *resolver)
{
	struct mnt_namespace *ns = (void *)resolver->ns;
	int i;

	begin_walk(w, resolver);
	w->files = resolver->account;
	w->num_names = 0;
	w->filter = 0;
	for (i = 0; i < OBJECT_WORDS; i++)
		w->marked[i] = 0;
	if (resolver->event != ctl->scan)
		return 0; /* it was not found */
	bpf_loop(OBJECTS_MAX, object_step, 0, 0);
	w->marks = 1;
	walk_mounts(w, tmp, BPF_CORE_READ(ns, event));
	w->marks = 0;
	for (i = 0; i < OBJECT_WORDS && !w->done; i++)
		w->marked[i] = ~0ULL;
	if (!w->done)
		w->rec.bits = WAY_MOUNTED;
	bpf_loop(OBJECTS_MAX, marked_step, 0, 0);
	w->scan = ctl->scan;
	return put_ways(seq, ctl, w, 0);
}

/*
 * Most elements have no number. The first of them says that nothing follows, and the next has the
 * kernel return what there is: it would be called for each once more, for a reader who goes on.
 */
static __always_inline int put_end(struct seq_file *seq, __u32 nth)
{
	struct end_record end = { .h = { RECORD_END, sizeof(end) } };

	if (nth > 1)
		return 1;
	bpf_seq_write(seq, &end, sizeof(end));
	return 0;
}

SEC("iter/bpf_map_elem")
int ways(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct control_block *ctl = get_control();
	const struct space *space = ctx->value;
	const __u32 *number = ctx->key;
	struct ways_scratch *w;
	struct scratch *tmp;
	struct spent *spent;
	__u32 favoured;
	__u64 took;

	if (!ctl || !space || !number)
		return 0;
	if (*number > ctl->num_spaces)
		return put_end(seq, *number - ctl->num_spaces);
	w = get_ways_scratch();
	tmp = get_scratch();
	if (!w || !tmp)
		return 0;
	if (!*number) {
		put_objects_found(seq, ctl, w, tmp, space);
		return 0;
	}
	spent = spent_by(space->account, ctl->scan);
	favoured = space->account >> 32 & 1;
	if (!spent || w->scan != ctl->scan || spent->view_ns > ctl->max_view_ns ||
	    ctl->view_ns[favoured] > ctl->all_view_ns)
		return 0;
	begin_walk(w, space);
	walk_mounts(w, tmp, wanted_event(space));
	if (!w->done)
		w->rec.bits = WAY_UNREAD;
	put_ways(seq, ctl, w, *number);
	took = bpf_ktime_get_ns() - w->began;
	spent->view_ns += took;
	ctl->view_ns[favoured] += took;
	return 0;
}

#endif
