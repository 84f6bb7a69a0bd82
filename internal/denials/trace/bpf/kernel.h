/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The kernel's types, as far as they are read. Only the names of types and
 * members matter: every offset is relocated against the running kernel's BTF.
 */
#ifndef LANDLOCKD_KERNEL_H
#define LANDLOCKD_KERNEL_H

struct bpf_raw_tracepoint_args {
	__u64 args[0];
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct landlock_hierarchy {
	__u64 id;
};

struct landlock_blockers {
	__u32 access;
};

struct task_struct {
	__s32 pid;
	__s32 tgid;
	struct task_struct *group_leader;
	__u64 start_boottime;
	char comm[16];
};

struct upid {
	int nr;
};

struct pid {
	struct upid numbers[1];
};

struct sock {
	struct pid *sk_peer_pid;
};

struct unix_address {
	int len;
	char name[0];
};

struct unix_sock {
	struct unix_address *addr;
};

#pragma clang attribute pop

#endif
