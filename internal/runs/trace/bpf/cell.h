/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What passes between the programs and user space: native byte order, no implicit
 * padding. bpf2go makes Go types of it (gen.go).
 */
#ifndef LANDLOCKD_CELL_H
#define LANDLOCKD_CELL_H

enum sizes {
	CELLS = 8192,	     /* in one of the two tables */
	/*
	 * Of each table, for what is below one unit's cgroup; and for one user that is not
	 * root, half of that.
	 */
	CELLS_SHARE = 1024,
	PROCESSES = 32768,
	PROCESSES_SHARE = 16384, /* for all processes of one user that is not root */
	EXES = 2048,
	EXES_SHARE = 512,
	GROUPS = 8192,
	GROUPS_SHARE = 2048,
	PATH_SIZE = 1024,    /* of names in a path, each with a NUL behind it */
	NAME_SIZE = 256,     /* NAME_MAX and a NUL */
	GROUP_SIZE = 512,    /* as PATH_SIZE, of a cgroup's path */
	AGES = 31,
	MARKS = 8192,	     /* processes, by the lowest bits of their PIDs */
	STATES = 4,
	KINDS = 2,
	LEVELS = 256,	     /* of cgroups in each other that are looked at */
	CHAIN = 12,	     /* directories above most executables */
	COPIES = 2,	     /* of each program that counts */
	DIRS = 128,	     /* directories and mounts above an executable */
	THREADS = 256,	     /* of a process that end at the same moment */
};

/* What user space found out, beside where the kernel keeps domains. */
struct settings {
	__u32 group_dead;  /* 1: the tracepoint says which thread is the last */
	__u32 pid_ns;	   /* number of the PID namespace that is looked at; 0: the first */
	__u32 interrupted; /* 1: a program may be, unless that is prevented */
};

enum cell_kind {
	KIND_RUN = 0,
	KIND_LAUNCH = 1,
};

/* As scan.State numbers them. */
enum cell_state {
	STATE_UNKNOWN = 0,
	STATE_UNSANDBOXED = 1,
	STATE_PARTIAL = 2,
	STATE_SANDBOXED = 3,
};

/* All that rules see of a run. */
struct cell_key {
	__u64 cgroup;	 /* ID in the v2 hierarchy */
	__u64 cgroup_v1; /* in the v1 hierarchy that names processes, 0 = none */
	__u64 parent;	 /* of the parent's cgroup in the v2 hierarchy */
	__u64 exe;	 /* number of the executable, 0 = not known */
	__u64 start;	 /* of a marked process, else 0 */
	__u32 pid;
	__u32 uid;
	__u32 handled;	 /* by the layers of each thread in a domain, as stored */
	__u16 depth;	 /* of the shallowest thread */
	__u16 asked;	 /* which ages it was asked for */
	__u8 kind;	 /* enum cell_kind */
	__u8 state;	 /* enum cell_state */
	__u8 age;	 /* number of ages that it had reached */
	__u8 folded;	 /* 1: of the cgroup only the unit is known */
	__u32 spare;
	__u8 comm[16];	 /* zeros unless asked for */
};

struct cell {
	__u64 count;
	__u64 shown;	 /* count, when user space last saw it */
	__u64 start;	 /* of the last run, in ns since boot, as is end */
	__u64 end;
	__u32 pid;
	__u32 busy;	 /* 1: the last run is being written */
	__u8 comm[16];
};

/* What an iterator returns. */
struct cell_record {
	struct cell_key key;
	struct cell cell;
};

/* What makes a file the same executable by the same path. */
struct exe_id {
	__u64 dentry;
	__u64 inode;
	__u64 mnt;	 /* a number of the mount that no other one had */
	__u64 under;	 /* the directory that it is mounted on */
	__u64 chain;	 /* of the names above it */
	__u32 user_ns;
	__u32 bits;	 /* that are read each time */
};

/*
 * What a path is made of: names with a NUL behind each, the last one first. What is
 * behind the size of a path is for the longest name.
 */
struct exe {
	struct exe_id id;
	__u64 unit;	 /* whose share it is in, and of which user */
	__u64 account;
	__s64 refs;	 /* processes that run it */
	__u32 bits;	 /* enum exe_bits */
	__u32 size;	 /* of names; 0: the path is too long */
	__u8 names[PATH_SIZE + NAME_SIZE];
};

/* The size of names follows it. */
struct name_record {
	__u64 id;	 /* number of an executable, or ID of a cgroup */
	__u32 bits;
	__u32 size;
};

struct group_key {
	__u64 id;
	__u64 v1; /* 1: in the v1 hierarchy */
};

struct group {
	__u64 unit;	 /* ID of its unit's cgroup, or of one that is in its place */
	__u64 account;
	__u32 used;	 /* the last turn in which a cell was made for it */
	__u32 size;	 /* of names */
	__u64 below;	 /* 1: all that is below it is of the same unit */
	__u8 names[GROUP_SIZE + NAME_SIZE];
};

/* A process that has been seen from its beginning. */
struct process {
	__u64 start;
	__u64 exe;	 /* number of its executable */
	__u64 depths;	 /* bit n: of a thread at depth n that ends with the process */
	__u64 last_depths; /* the same of the thread that ended last, for itself */
	__u64 lacks;	 /* rights that one of those does not handle, as stored */
	__u64 last_lacks;
	__u64 exec;	 /* self_exec_id, when its executable was noted */
	__u64 born;	 /* when this was made, in ns since boot */
	__u32 account;
	__u32 seen;	 /* the last sweep in which it was there */
	__u8 comm[16];	 /* at its beginning */
};

enum event {
	EVENT_FORK = 0,
	EVENT_EXEC = 1,
	EVENT_EXIT = 2,
	EVENTS = 3,
};

/* What the calls of one program took; the sum wants no precision. */
struct cost {
	__u64 calls;
	__u64 sum_ns;
	__u64 max_ns;
};

/*
 * Shared with user space through mmap(2): the stage that counts may not call bpf(2) but
 * to create an iterator. Nothing in it may be an offset or an address to read at.
 */
struct run_control {
	/* Written by user space. */
	__u32 active;	 /* the table that is counted in, 0 or 1 */
	__u32 turn;	 /* grows whenever that changes */
	__u32 whole;	 /* 1: an iterator returns all, and removes what it returned */
	__u32 see_comm;
	__u32 asked;	 /* number of the ages */
	__u32 spare;
	__u64 ages[2][AGES]; /* ns, ascending; those of an odd number are the second */
	__u32 num[2];
	__u64 swept_at;	 /* when a sweep began, in ns since boot */
	__u32 sweep;	 /* its number */
	__u32 spare2;
	__u64 marks[MARKS]; /* start of a process with this PID, modulo MARKS */

	/* Written by the programs. */
	__u64 other[KINDS][STATES]; /* what found no room at all, since the beginning */
	__u64 lost;	 /* ends of which a map refused even that */
	__u64 swept;	 /* ends that no program was called for, as sweeps found */
	__u32 used[2];	 /* cells of each table */
	__u32 used_exes;
	__u32 woken;	 /* 1: user space was woken in this turn */
	struct cost cost[EVENTS];
};

/*
 * What Go types are made of. It is in a section that is not loaded.
 */
union described_runs {
	struct cell_key key;
	struct cell cell;
	struct cell_record record;
	struct name_record name;
	enum sizes sizes;
	enum event event;
};

#endif
