/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Whose word the path of an executable is. Whatever users can do to the process later
 * (namespaces of its own, another root directory) does not change what is looked at: the
 * file as it was opened.
 */
#ifndef LANDLOCKD_ORIGIN_H
#define LANDLOCKD_ORIGIN_H

/* FMODE_EXEC, as the kernel has it in f_flags. No system call opens a file with it. */
#define OPENED_FOR_EXEC 0x20

/* PROC_USER_INIT_INO: the number of the initial user namespace. */
#define INIT_USER_NS 0xeffffffdU

/* How many mounts may be above each other on the way up to the host's root. */
#define MOUNTS_MAX 12

enum tree_of {
	TREE_OPEN, /* not yet known */
	TREE_HOST,
	TREE_OTHER,
};

/*
 * Whose tree a mount is in, if it says so. One that is not put somewhere by the host
 * itself may hide no directory but itself, or the place of a whole file system;
 * the uppermost shows the host's root directory. Below that there can be the first
 * file system of all, which the boot left behind. Returns an enum tree_of. A global function,
 * because that is verified once.
 */
__noinline int tree_of(__u64 of, __u64 host_root)
{
	struct mount *mnt = (void *)of, *below = BPF_CORE_READ(mnt, mnt_parent);
	struct dentry *host = (void *)host_root;
	struct dentry *root = BPF_CORE_READ(mnt, mnt.mnt_root);
	struct dentry *at = BPF_CORE_READ(mnt, mnt_mountpoint);

	if (below == mnt)
		return root == host ? TREE_HOST : TREE_OTHER;
	if (root == host && at == BPF_CORE_READ(below, mnt.mnt_root) &&
	    BPF_CORE_READ(below, mnt_parent) == below)
		return TREE_HOST;
	if (root != at && root != BPF_CORE_READ(mnt, mnt.mnt_sb, s_root))
		return TREE_OTHER;
	return TREE_OPEN;
}

/* Whether a file is in the tree of the host's first process. */
static __always_inline bool in_host_tree(struct mount *mnt, struct task_struct *task)
{
	struct task_struct *first = BPF_CORE_READ(task, thread_pid, numbers[0].ns, child_reaper);
	struct dentry *host = BPF_CORE_READ(first, fs, root.dentry);
	int tree = TREE_OPEN;
	int i;

	if (!host)
		return 0;
	if (BPF_CORE_READ(mnt, mnt_ns) == BPF_CORE_READ(first, nsproxy, mnt_ns))
		return 1;
	for (i = 0; i < MOUNTS_MAX && tree == TREE_OPEN; i++) {
		tree = tree_of((__u64)mnt, (__u64)host);
		mnt = BPF_CORE_READ(mnt, mnt_parent);
	}
	return tree == TREE_HOST;
}

/*
 * prctl(PR_SET_MM) puts any file in the place of the one that was executed: it
 * takes a capability in the user namespace of whoever calls it, for memory that he
 * may share with a process outside of that namespace. Only, such a file was
 * opened by a system call. A file that execve(2) opened can be had in a user
 * namespace with an interpreter of its own (binfmt_misc), but then it was opened
 * for a task of that namespace.
 */
static __always_inline __u32 exe_bits(struct file *file, struct task_struct *task)
{
	struct mount *mnt = (void *)BPF_CORE_READ(file, f_path.mnt) -
			    bpf_core_field_offset(struct mount, mnt);
	__u32 bits = 0;

	if (!BPF_CORE_READ(file, f_path.dentry, d_hash.pprev))
		bits |= EXE_UNLINKED;
	if (BPF_CORE_READ(file, f_flags) & OPENED_FOR_EXEC)
		bits |= EXE_EXECUTED;
	if (BPF_CORE_READ(file, f_cred, user_ns, ns.inum) == INIT_USER_NS)
		bits |= EXE_INIT_USER;
	if (BPF_CORE_READ(mnt, mnt_ns, user_ns, ns.inum) == INIT_USER_NS) {
		bits |= EXE_INIT_MOUNT;
		if (in_host_tree(mnt, task))
			bits |= EXE_HOST_TREE;
	}
	return bits;
}

#endif
