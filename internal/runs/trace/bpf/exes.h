/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Executables have numbers, and a path that is read once for each: bpf_d_path() may not be
 * called here.
 */
#ifndef LANDLOCKD_EXES_H
#define LANDLOCKD_EXES_H

#define PIDTYPE_TGID 1

static __always_inline void release_exe(__u64 number)
{
	struct exe *e;

	if (!number)
		return;
	e = bpf_map_lookup_elem(&exes, &number);
	if (e)
		__sync_fetch_and_add(&e->refs, -1);
}

static __always_inline void hold_exe(__u64 number)
{
	struct exe *e;

	if (!number)
		return;
	e = bpf_map_lookup_elem(&exes, &number);
	if (e)
		__sync_fetch_and_add(&e->refs, 1);
}

/*
 * One step up from a directory, over mounts. What loops decide by is in a map: before
 * Linux 6.8 the verifier takes a loop's body to see only what its context has at first.
 */
static long climb(__u32 i, struct scratch **ctx)
{
	struct scratch *tmp = get_scratch(*(__u32 *)ctx);
	struct dentry *dentry, *above;
	struct mount *mnt, *below;
	struct ascent *a;
	__u32 off;
	long n;

	if (!tmp)
		return 1;
	a = &tmp->ascent;
	dentry = (void *)a->at;
	mnt = (void *)a->mnt;
	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root)) {
		below = BPF_CORE_READ(mnt, mnt_parent);
		if (below == mnt || !below) {
			a->done = 1;
			return 1;
		}
		a->at = (__u64)BPF_CORE_READ(mnt, mnt_mountpoint);
		a->mnt = (__u64)below;
		return 0;
	}
	above = BPF_CORE_READ(dentry, d_parent);
	off = a->off;
	if (off >= PATH_SIZE)
		return 1;
	n = bpf_probe_read_kernel_str(&tmp->exe.names[off & (PATH_SIZE - 1)], NAME_SIZE,
				      BPF_CORE_READ(dentry, d_name.name));
	if (n <= 1)
		return 1;
	a->off = off + n;
	/* A file without a directory, as of memfd_create(2). */
	if (above == dentry) {
		a->done = 1;
		return 1;
	}
	a->at = (__u64)above;
	return 0;
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

/* A number that no other mount had before. */
static __always_inline __u64 mount_number(struct mount *mnt)
{
	if (bpf_core_field_exists(mnt->mnt_id_unique))
		return BPF_CORE_READ(mnt, mnt_id_unique);
	return BPF_CORE_READ(mnt, mnt_ns, seq) << 32 | (__u32)BPF_CORE_READ(mnt, mnt_id);
}

/* The kernel's hash of a name depends on where the directory is that it is in. */
static __always_inline __u64 add_name(__u64 chain, __u32 hash, __u32 len)
{
	return (chain ^ hash) * 0x9e3779b97f4a7c15ULL + len;
}

/* As climb(), but of each name only what makes it another one. */
static long climb_chain(__u32 i, struct scratch **ctx)
{
	struct scratch *tmp = get_scratch(*(__u32 *)ctx);
	struct dentry *dentry, *above;
	struct mount *mnt, *below;
	struct ascent *a;

	if (!tmp)
		return 1;
	a = &tmp->ascent;
	dentry = (void *)a->at;
	mnt = (void *)a->mnt;
	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root)) {
		below = BPF_CORE_READ(mnt, mnt_parent);
		if (below == mnt || !below)
			return 1;
		a->at = (__u64)BPF_CORE_READ(mnt, mnt_mountpoint);
		a->mnt = (__u64)below;
		return 0;
	}
	above = BPF_CORE_READ(dentry, d_parent);
	tmp->exe.id.chain = add_name(tmp->exe.id.chain, BPF_CORE_READ(dentry, d_name.hash),
				     BPF_CORE_READ(dentry, d_name.len));
	if (above == dentry)
		return 1;
	a->at = (__u64)above;
	return 0;
}

/* Whether no directory is above a mount that could have another name. */
static __always_inline bool is_uppermost(struct mount *mnt, struct dentry *under)
{
	struct mount *below = BPF_CORE_READ(mnt, mnt_parent);

	if (below == mnt)
		return 1;
	return BPF_CORE_READ(under, d_parent) == under && BPF_CORE_READ(below, mnt_parent) == below;
}

/* Names above a file, as far as they make its path. Most are few, and of one mount. */
static __always_inline void read_chain(struct scratch *tmp, __u32 of, struct dentry *dentry,
				       struct mount *mnt, struct dentry *under)
{
	struct ascent *a = &tmp->ascent;
	__u64 chain = 0;
	int i;

	a->at = (__u64)dentry;
	a->mnt = (__u64)mnt;
	for (i = 0; i < CHAIN; i++) {
		struct dentry *up = dentry->d_parent;

		chain = add_name(chain, dentry->d_name.hash, dentry->d_name.len);
		if (up == dentry)
			break;
		dentry = up;
	}
	tmp->exe.id.chain = chain;
	if (i < CHAIN) {
		if (is_uppermost(mnt, under))
			return;
		if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root))
			a->at = (__u64)dentry;
	}
	bpf_loop(DIRS, climb_chain, &of, 0);
}

#define ID_WORDS (sizeof(struct exe_id) / sizeof(__u64))

/*
 * A number for what an executable is, made of addresses, which nobody chooses. If ever two have
 * the same one, the second is not known.
 */
static __always_inline __u64 number_of(const struct exe_id *id)
{
	const __u64 *word = (const void *)id;
	__u64 number = 0;
	__u32 i;

	for (i = 0; i < ID_WORDS; i++) {
		number = (number ^ word[i]) * 0x9e3779b97f4a7c15ULL;
		number ^= number >> 32;
	}
	return number | 1;
}

/* Adds a reference to an executable. Returns its number; 0 if it is another one. */
static __always_inline __u64 hold_same(struct exe *known, const struct exe_id *id, __u64 number)
{
	const __u64 *one = (const void *)&known->id, *other = (const void *)id;
	__u64 differs = 0;
	__u32 i;

	for (i = 0; i < ID_WORDS; i++)
		differs |= one[i] ^ other[i];
	if (differs)
		return 0;
	__sync_fetch_and_add(&known->refs, 1);
	return number;
}

/*
 * The number of the executable that tmp->exe.id is of, with a reference; 0 if too many are known.
 * It is the file tmp->file of tmp->task, whose account is tmp->owner's.
 */
__noinline __u64 find_exe(__u32 of)
{
	struct scratch *tmp = get_scratch(of);
	struct run_control *ctl = get_control();
	struct owner owner = {};
	struct exe *known, *e;
	struct ascent *a;
	struct file *file;
	__u64 number;

	if (!tmp || !ctl)
		return 0;
	e = &tmp->exe;
	number = number_of(&e->id);
	known = bpf_map_lookup_elem(&exes, &number);
	if (known)
		return hold_same(known, &e->id, number);

	owner.account = tmp->owner.account;
	if (!take_users(SHARE_EXES, &owner, 0, EXES_SHARE))
		return 0;
	owner.unit = name_group(of, tmp->at.v2, 0, owner.account);
	if (!take_units(SHARE_EXES, &owner, 0, EXES_SHARE))
		return 0;
	a = &tmp->ascent;
	file = (void *)tmp->file;
	a->at = e->id.dentry;
	a->mnt = (__u64)mount_of(BPF_CORE_READ(file, f_path.mnt));
	a->off = 0;
	a->done = 0;
	e->unit = owner.unit;
	e->account = owner.account;
	e->refs = 1;
	e->bits = exe_bits(file, (void *)tmp->task);
	bpf_loop(DIRS, climb, &of, 0);
	e->size = a->done ? a->off : 0;
	if (bpf_map_update_elem(&exes, &number, e, BPF_NOEXIST)) {
		give_both(SHARE_EXES, &owner, 0);
		/* Somebody else was faster, or there is no room. */
		known = bpf_map_lookup_elem(&exes, &number);
		return known ? hold_same(known, &e->id, number) : 0;
	}
	if (__sync_fetch_and_add(&ctl->used_exes, 1) > EXES / 2)
		wake_up(ctl);
	return number;
}

/*
 * The number of the executable of a task, with a reference; 0 if it has none, or too many are
 * known. Where the task is tmp->at has, and tmp->owner its account.
 */
static __always_inline __u64 take_exe(struct scratch *tmp, __u32 of, struct task_struct *task)
{
	struct exe_id *id = &tmp->exe.id;
	struct mm_struct *mm = task->mm;
	struct dentry *dentry, *under;
	struct mount *mnt;
	struct file *file;

	if (!mm)
		return 0;
	file = mm->exe_file;
	if (!file)
		return 0;
	dentry = file->f_path.dentry;
	mnt = mount_of(file->f_path.mnt);
	id->dentry = (__u64)dentry;
	id->inode = dentry->d_inode->i_ino;
	id->mnt = mount_number(mnt);
	under = BPF_CORE_READ(mnt, mnt_mountpoint);
	id->under = (__u64)under;
	read_chain(tmp, of, dentry, mnt, under);
	id->user_ns = file->f_cred->user_ns->ns.inum;
	id->bits = dentry->d_hash.pprev ? 0 : EXE_UNLINKED;
	if (file->f_flags & OPENED_FOR_EXEC)
		id->bits |= EXE_EXECUTED;
	tmp->file = (__u64)file;
	tmp->task = (__u64)task;
	return find_exe(of);
}

#endif
