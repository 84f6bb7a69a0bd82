/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What all programs share: where the kernel has what they read, memory, and the clock.
 */
#ifndef LANDLOCKD_SHARED_H
#define LANDLOCKD_SHARED_H

#include "layout.h"

volatile const struct rule_layout rules_layout = {};

const union described *described SEC(".described") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control_block);
} control SEC(".maps");

/* Where a mount is, and of what. */
struct mount_place {
	__u64 parent;
	__u64 mountpoint;
	__u64 root;
};

/*
 * Where the way up from a task's root directory is. It is in a map, as is all that
 * loops decide by: before Linux 6.8 the verifier takes a loop's body to see only
 * the values that its context has at first, if they are constant, and drops what
 * is for others.
 */
struct ascent {
	__u64 dentry;
	__u64 mnt;
	__u64 tree;   /* root of the domain's rules on inodes; 0: they are not searched */
	__u64 way;    /* stands for all that it led through */
	__u32 hidden; /* 1: a mount hides the directory that it has come to */
	__u32 view;   /* enum view, at its end */
	__u32 met;    /* 1: it came to until */
	__u32 spare;
	__u64 placed; /* the mount that place is of */
	struct mount_place place;
	struct {      /* where it ends, if it comes there; 0: at the top alone */
		__u64 dentry;
		__u64 mnt;
	} until;
};

/* The root directory that rules were searched for last, and the way up from there. */
struct viewed {
	__u64 session; /* 0: none */
	__u64 domain;  /* its ID; what it grants there is in everywhere */
	__u64 dentry;
	__u64 mnt;
	__u64 way;
};

/* Which number a mount namespace has in a scan. */
struct numbered {
	__u64 scan;
	__u64 number;
};

/* What one account has used up of a pass. */
struct spent {
	__u64 session;
	__u64 view_ns;
	__u32 domains;
	__u32 spaces;
};

/*
 * What is too large for the stack, or kept from task to task. A pass never runs
 * beside another: user space waits.
 */
struct scratch {
	struct exe_record exe;
	/*
	 * The spare bytes are for the verifier, which bounds the sum before it is
	 * rounded; a test of the rounded size makes that of Linux 6.17 and 6.18 warn.
	 */
	char path[EXE_MAX + 8];
	struct grants_record grants;
	__u32 everywhere[RULE_LAYERS];
	__u64 any;	       /* whatever is in everywhere */
	struct ascent ascent;
	struct viewed viewed;
	struct link_memory v1;
	struct {	       /* the domain that was described last, or found to be */
		__u64 key;
		__u64 mark;    /* as it is in the map seen */
	} described;
	struct spent spent;    /* of the account of the task before */
	__u64 spender;	       /* its key in the map spending */
	__u64 fence;
	__u64 rooted;	       /* 1: the last task in a domain needed its root directory looked at */
	/* of a mount namespace that gets a number */
	struct space space;
	/* Of the mount namespace that got its number last, or was found to have it. */
	struct numbered numbered;
	__u64 numbered_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

static __always_inline struct control_block *get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

/*
 * Nothing is read later that stands in front of it, nor the other way round. An
 * atomic operation whose result is used is the one full barrier that BPF has.
 */
static __always_inline void fence(struct scratch *tmp)
{
	if (layout.fence && __sync_fetch_and_add(&tmp->fence, 1) == ~0ULL)
		tmp->fence = 0;
	asm volatile("" ::: "memory");
}

static __always_inline struct scratch *get_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

/* Returns how long it took since, in ns, and notes it if nothing took longer. */
static __always_inline __u64 note_time(struct control_block *ctl, __u32 program, __u64 began)
{
	__u64 took = bpf_ktime_get_ns() - began;

	if (program < NUM_PROGRAMS && ctl->longest_ns[program] < took)
		ctl->longest_ns[program] = took;
	return took;
}

#endif
