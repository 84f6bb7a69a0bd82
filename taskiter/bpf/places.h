/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Where the rules of a domain lie. A rule holds an inode and no name: the kernel forgets
 * that soon, so that it is noted when the domain is first read, with what is above it.
 */
#ifndef LANDLOCKD_PLACES_H
#define LANDLOCKD_PLACES_H

/* The directory entry of a node in the list of an inode's names. */
static __always_inline struct dentry *named_at(__u64 node)
{
	if (bpf_core_field_exists(struct dentry___unnamed, d_alias))
		return (void *)node - bpf_core_field_offset(struct dentry___unnamed, d_alias);
	return (void *)node - bpf_core_field_offset(struct dentry, d_u.d_alias);
}

/* Stands for a file in its filesystem, also when the kernel has forgotten it meanwhile. */
static __always_inline __u64 file_name(struct inode *inode)
{
	__u64 name = BPF_CORE_READ(inode, i_ino) * 0x9e3779b97f4a7c15ULL;

	/* Subvolumes of btrfs have the same numbers. */
	name = (name ^ BPF_CORE_READ(inode, i_generation)) * 0xff51afd7ed558ccdULL;
	return name ^ BPF_CORE_READ(inode, i_sb, s_dev);
}

/* Whether a filesystem gives a file the same number whenever it is read. */
static __always_inline bool has_lasting_numbers(struct super_block *sb)
{
	switch (BPF_CORE_READ(sb, s_magic)) {
	case 0xef53: /* ext4 */
	case 0x58465342: /* xfs */
	case 0x9123683e: /* btrfs */
	case 0xf2f52010: /* f2fs */
	case 0x2fc12fc1: /* zfs */
	case 0xca451a4e: /* bcachefs */
	case 0xe0f5e1e2: /* erofs */
	case 0x73717368: /* squashfs */
	case 0x01021994: /* tmpfs, which forgets nothing */
		return 1;
	}
	return 0;
}

static __always_inline void add_place_word(struct rules_scratch *tmp, __u64 word)
{
	__u64 at = tmp->num_words++;

	/* The verifier must see the bound, the compiler not. */
	asm volatile("" : "+r"(at));
	if (at < PLACE_WORDS)
		tmp->words[at] = word;
}

static long place_step(__u32 i, void *unused)
{
	struct rules_scratch *tmp = get_rules_scratch();
	struct dentry *dentry;
	__u64 parent;

	if (!tmp)
		return 1;
	dentry = (void *)tmp->climb.dentry;
	tmp->climb.way = (tmp->climb.way ^ tmp->climb.dentry) * 0xff51afd7ed558ccdULL +
			 BPF_CORE_READ(dentry, d_seq.seqcount.sequence);
	if (tmp->climb.notes)
		add_place_word(tmp, file_name(BPF_CORE_READ(dentry, d_inode)));
	parent = (__u64)BPF_CORE_READ(dentry, d_parent);
	if (parent == tmp->climb.dentry) {
		tmp->climb.top = 1;
		return 1;
	}
	tmp->climb.dentry = parent;
	return 0;
}

static __always_inline __u64 climb_place(struct rules_scratch *tmp, __u64 dentry, __u64 notes)
{
	tmp->climb.dentry = dentry;
	tmp->climb.notes = notes;
	tmp->climb.way = 0;
	tmp->climb.top = 0;
	bpf_loop(ROOT_STEPS, place_step, 0, 0);
	return tmp->climb.way;
}

/* Notes where the inode of a rule lies. */
static __always_inline void note_place(struct rules_scratch *tmp, struct inode *inode, __u64 key)
{
	__u64 at = tmp->num_words + 1, node = (__u64)BPF_CORE_READ(inode, i_dentry.first);
	struct super_block *sb = BPF_CORE_READ(inode, i_sb);
	__u64 dentry = (__u64)named_at(node), way, names;
	bool directory = (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR;

	add_place_word(tmp, key);
	add_place_word(tmp, 0);
	if (!inode || !node || !has_lasting_numbers(sb) ||
	    (!directory && BPF_CORE_READ(inode, i_nlink) != 1))
		return;
	way = climb_place(tmp, dentry, 1);
	names = tmp->num_words - at - 1;
	if (climb_place(tmp, dentry, 0) != way || !tmp->climb.top ||
	    tmp->climb.dentry != (__u64)BPF_CORE_READ(sb, s_root)) {
		tmp->num_words = at + 1; /* it moves, or is too deep, or cut off */
		return;
	}
	asm volatile("" : "+r"(at));
	if (at < PLACE_WORDS)
		tmp->words[at] = names;
}

#endif
