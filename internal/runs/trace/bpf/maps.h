/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the programs remember. All of it has a bound, and what users can fill has shares.
 */
#ifndef LANDLOCKD_MAPS_H
#define LANDLOCKD_MAPS_H

const volatile struct settings config = {};

const union described_runs *described_runs SEC(".described") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct run_control);
} control SEC(".maps");

/* Two tables, so that one stands still while it is emptied. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CELLS);
	__type(key, struct cell_key);
	__type(value, struct cell);
} cells0 SEC(".maps"), cells1 SEC(".maps");

/* By the address of the signal_struct, which a process keeps for its whole life. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCESSES);
	__type(key, __u64);
	__type(value, struct process);
} processes SEC(".maps");

/* By a number that is made of what they are. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EXES);
	__type(key, __u64);
	__type(value, struct exe);
} exes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GROUPS);
	__type(key, struct group_key);
	__type(value, struct group);
} groups SEC(".maps");

#define USERS 0x80000000U

enum share {
	SHARE_CELLS,	/* of one turn */
	SHARE_EXES,
	SHARE_GROUPS,
	SHARE_PROCESSES,
};

/* How much of a table somebody has: a unit by its cgroup, or a user. */
struct share_key {
	__u64 whose;
	__u32 of;   /* enum share */
	__u32 turn; /* in which it counts, 0 = always; of a user, with USERS */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct share_key);
	__type(value, __s64);
} shares SEC(".maps");

/* Processes that were counted, of whose threads another may still think it is the last. */
struct ended_key {
	__u64 signal;
	__u64 start;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct ended_key);
	__type(value, __u32);
} ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} wake SEC(".maps");

/* What a walk up to the root remembers, be it over directories or cgroups. */
struct ascent {
	__u64 at;
	__u64 mnt;
	__u64 unit;
	__u64 unit_at;
	__u32 off;
	__u32 levels;
	__u32 done;
	__u32 cut; /* 1: some name had no room */
	__u64 ids[4]; /* of the uppermost */
	__u64 places[4];
	__u8 name[NAME_SIZE];
};

/* Where a process is: kernfs_nodes of cgroups, by their addresses. */
struct place {
	__u64 v2;
	__u64 v1;     /* 0: there is none */
	__u64 parent; /* of its parent, in v2 */
};

/* What some threads were. */
struct facts {
	__u64 depths; /* bit n: of a thread at depth n */
	__u64 lacks;  /* rights that the layers of one of those in a domain do not handle */
};

/* Whose share something is in: of what is below a cgroup, and of a user that is not root. */
struct owner {
	__u64 unit;
	__u64 account;
};

/*
 * What is too large for the stack, or passes between global functions, which are verified once
 * and get numbers only. On the stack the verifier would also know the values, and go through all
 * that follows for each. Each program has its own, and none runs twice on a CPU
 * at the same time.
 */
struct scratch {
	struct cell_key key;
	struct cell_key folded;
	struct cell fresh;
	struct process process;
	struct ascent ascent;
	struct exe exe;
	struct group group;
	struct cell_record record;
	struct place at;
	struct facts facts;
	struct owner owner;
	__u64 task; /* addresses of a task, and of the file that it executes */
	__u64 file;
	__u64 room; /* 1: there is some in the user's share */
};

/* Those of the copies follow each other. */
enum {
	SCRATCH_ADOPT = COPIES * EVENTS,
	SCRATCHES,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCHES);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct link_memory);
} link_v1 SEC(".maps");

static __always_inline struct run_control *get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

static __always_inline struct scratch *get_scratch(__u32 of)
{
	return bpf_map_lookup_elem(&scratch, &of);
}

/* Takes one more of a share, if there is one. */
static __always_inline bool take(__u32 of, __u64 whose, __u32 turn, __s64 most)
{
	struct share_key key = { .whose = whose, .of = of, .turn = turn };
	__s64 one = 1, *n = bpf_map_lookup_elem(&shares, &key);

	if (!n) {
		bpf_map_update_elem(&shares, &key, &one, BPF_ANY);
		return 1;
	}
	if (*n >= most)
		return 0;
	__sync_fetch_and_add(n, 1);
	return 1;
}

static __always_inline void give_back(__u32 of, __u64 whose, __u32 turn)
{
	struct share_key key = { .whose = whose, .of = of, .turn = turn };
	__s64 *n = bpf_map_lookup_elem(&shares, &key);

	if (n && *n > 0)
		__sync_fetch_and_add(n, -1);
}

/* Wakes user space, once until it has taken its turn. */
static __always_inline void wake_up(struct run_control *ctl)
{
	__u64 nothing = 0;

	if (!__sync_lock_test_and_set(&ctl->woken, 1))
		bpf_ringbuf_output(&wake, &nothing, sizeof(nothing), BPF_RB_FORCE_WAKEUP);
}

/* Reports whether a user has all of a share. */
static __always_inline bool is_used_up(__u32 of, __u64 account, __u32 turn, __s64 most)
{
	struct share_key key = { .whose = account, .of = of, .turn = turn | USERS };
	__s64 *n = account ? bpf_map_lookup_elem(&shares, &key) : 0;

	return n && *n >= most / 2;
}

/* Takes one more of a user's share, if there is one. */
static __always_inline bool take_users(__u32 of, const struct owner *o, __u32 turn, __s64 most)
{
	return !o->account || take(of, o->account, turn | USERS, most / 2);
}

/* The same of a unit's share. If there is none, that of the user is given back. */
static __always_inline bool take_units(__u32 of, const struct owner *o, __u32 turn, __s64 most)
{
	if (take(of, o->unit, turn, most))
		return 1;
	if (o->account)
		give_back(of, o->account, turn | USERS);
	return 0;
}

static __always_inline void give_both(__u32 of, const struct owner *o, __u32 turn)
{
	give_back(of, o->unit, turn);
	if (o->account)
		give_back(of, o->account, turn | USERS);
}

/* Notes what a call took. began is in ns since boot. */
static __always_inline void note_cost(struct run_control *ctl, __u32 event, __u64 began)
{
	__u64 took = bpf_ktime_get_boot_ns() - began;
	struct cost *c;

	if (event >= EVENTS)
		return;
	c = &ctl->cost[event];
	__sync_fetch_and_add(&c->calls, 1);
	__sync_fetch_and_add(&c->sum_ns, took);
	if (c->max_ns < took)
		c->max_ns = took;
}

#endif
