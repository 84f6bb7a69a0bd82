/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The kernel's types, as far as they are read. Only the names of types and
 * members matter: every offset is relocated against the running kernel's BTF.
 * Landlock's own types are not here: their layouts differ too much between
 * releases, so user space resolves their offsets (layout.go) and passes them
 * in struct domain_layout.
 */
#ifndef LANDLOCKD_KERNEL_H
#define LANDLOCKD_KERNEL_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

typedef struct {
	int counter;
} atomic_t;

struct ns_common {
	unsigned int inum;
};

typedef struct {
	__u32 val;
} kuid_t;

typedef struct {
	__u32 val;
} kgid_t;

struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
	struct ns_common ns;
};

struct mount;

struct mnt_namespace {
	struct ns_common ns;
	struct mount *root;
	struct user_namespace *user_ns;
	__u64 seq;
	__u64 event;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct task_struct;

struct pid_namespace {
	struct task_struct *child_reaper;
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

typedef struct {
	__u64 val;
} kernel_cap_t;

struct cred {
	kuid_t euid;
	kernel_cap_t cap_effective;
	kernel_cap_t cap_permitted;
	void *security;
	struct user_namespace *user_ns;
	kuid_t uid;
	kuid_t suid;
	kuid_t fsuid;
	kgid_t gid;
	kgid_t sgid;
	kgid_t egid;
	kgid_t fsgid;
};

/* Before Linux 6.3 a set of capabilities is 32-bit words, the lowest first. */
struct cred___words {
	struct {
		__u32 cap[2];
	} cap_effective, cap_permitted;
};

struct kernfs_node {
	__u64 id;
	struct kernfs_node *parent;
	const char *name;
};

/* From Linux 6.15 on. */
struct kernfs_node___rcu {
	struct kernfs_node *__parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set;

struct cgrp_cset_link {
	struct cgroup *cgrp;
	struct css_set *cset;
	struct list_head cgrp_link;
};

struct css_set {
	struct cgroup *dfl_cgrp;
	struct list_head cgrp_links;
};

struct dentry;

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
	struct dentry *s_root;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct inode {
	unsigned short i_mode;
	void *i_security;
	struct super_block *i_sb;
	__u64 i_ino;
	unsigned int i_nlink;
	__u32 i_generation;
	struct hlist_head i_dentry;
};

struct seqcount {
	unsigned int sequence;
};

struct seqcount_spinlock {
	struct seqcount seqcount;
};

typedef struct {
	struct seqcount_spinlock seqcount;
} seqlock_t;

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct qstr {
	__u32 hash;
	__u32 len;
	const unsigned char *name;
};

struct dentry {
	struct seqcount_spinlock d_seq;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	union {
		struct hlist_node d_alias;
	} d_u;
};

/* Later. */
struct dentry___unnamed {
	struct hlist_node d_alias;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount {
	int mnt_id;
	__u64 mnt_id_unique;
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_mounts;
	struct list_head mnt_child;
	struct mnt_namespace *mnt_ns;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct fs_struct {
	struct seqcount_spinlock seq;
	struct path root;
	struct path pwd;
};

/* Later. */
struct fs_struct___seqlock {
	seqlock_t seq;
};

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct file {
	unsigned int f_flags;
	const struct cred *f_cred;
	struct path f_path;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct mm_struct {
	unsigned long start_code;
	struct file *exe_file;
	unsigned long flags;
};

/* From Linux 6.18 on. */
struct mm_struct___bitmap {
	struct {
		unsigned long __mm_flags[1];
	} flags;
};

struct sighand_struct;

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	unsigned int flags;
	struct task_struct *group_exec_task;
	__u64 sum_sched_runtime;
	seqlock_t stats_lock;
	struct pid *pids[4];
};

struct seccomp {
	int mode;
};

struct task_struct {
	unsigned int flags;
	int exit_state;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	__u64 start_boottime;
	__u64 self_exec_id;
	char comm[16];
	struct list_head thread_node;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	const struct cred *real_cred;
	const struct cred *cred;
	struct mm_struct *mm;
	struct seccomp seccomp;
	unsigned long atomic_flags;
	struct fs_struct *fs;
	struct files_struct *files;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_map;

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

#pragma clang attribute pop

#endif
