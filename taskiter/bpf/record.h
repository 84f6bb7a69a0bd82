/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What passes between the programs and user space: native byte order, no
 * implicit padding. record.go, layout.go and control.go are the other side.
 */
#ifndef LANDLOCKD_RECORD_H
#define LANDLOCKD_RECORD_H

#define ABSENT 0xffffffffU

/*
 * Offsets that user space resolved. ABSENT: this kernel has no such member.
 */
struct layout {
	__u32 landlock;	   /* 0: no task can be in a domain, read nothing */
	__u32 blob;	   /* of the domain pointer in cred->security */
	__u32 num_layers;  /* in the domain: struct landlock_ruleset or _domain */
	__u32 num_rules;
	__u32 hierarchy;
	__u32 masks;
	__u32 mask_size;   /* of one layer's mask, 2 or 4 bytes */
	__u32 parent;	   /* in struct landlock_hierarchy */
	__u32 id;
	__u32 denials;
	__u32 details;
	__u32 creator_pid; /* in struct landlock_details */
	__u32 creator_uid;
	__u32 creator_comm;
	__u32 pid_level;   /* depth of the reader's PID namespace, 0 = the initial one */
	__u32 cgroup_v1;   /* ID of the v1 hierarchy that names processes; 0: none does */
	__u32 derive;	   /* 1: name domains by address even if they have an ID */
	__u32 max_layers;  /* that a domain can have on this kernel */
	__u32 fence;	   /* 1: this machine reorders loads */
	__u32 log_status;  /* in struct landlock_hierarchy */
	__u32 creator_exe; /* in struct landlock_details */
	__u32 views;	   /* 1: what is granted on a task's root directory is looked for */
	__u32 workers;	   /* PF_*: of threads that the kernel makes for processes */
	__u32 object;	   /* in inode->i_security: Landlock's object of the inode */
};

/*
 * The same for the rules of a domain: how Landlock stores them.
 */
struct rules_layout {
	__u32 inodes;	   /* in the domain: root of the tree of rules on inodes */
	__u32 ports;	   /* and on ports */
	__u32 node;	   /* in struct landlock_rule */
	__u32 key;
	__u32 num_layers;
	__u32 layers;	   /* array */
	__u32 layer_size;  /* of one element */
	__u32 level;	   /* in an element */
	__u32 level_size;  /* 1, 2 or 4 bytes */
	__u32 access;
	__u32 access_size;
	__u32 inode;	   /* in struct landlock_object, which the key of a rule on an inode is */
};

#define PID_SLOTS 65536
#define WANT_SLOTS 1024

enum tree {
	TREE_PORTS = 0,
	TREE_INODES = 1,
};

/* A task whose domain's rules are wanted, and from which rule on. */
struct want {
	__s32 tid;    /* 0: none */
	__u32 tree;   /* enum tree */
	__u64 from;   /* least key of a rule; nothing is read at it */
	__u32 levels; /* bit n: of the layer at depth n + 1 */
	__u32 urgent; /* 1: after the deadline, too */
};

enum program {
	PROGRAM_SCAN = 0,
	PROGRAM_RULES = 1,
	NUM_PROGRAMS = 2,
};

/*
 * Shared with user space through mmap(2), since the stage that scans may not
 * call bpf(2) but to create an iterator. It is written by user space alone, but
 * for the last members. Nothing in it may be an offset or an address to read at.
 */
struct control {
	__u32 selected; /* 1: only the processes in wanted */
	__u32 helpers[3]; /* calibration: the tasks to look at */
	/* Of those who are not favoured, and of those who are. */
	__u32 max_domains[2]; /* described in a pass, of each account */
	__u64 max_view_ns;    /* spent on views in a pass, for each account */
	__u64 all_view_ns;    /* and for all together, of each kind */
	__u64 deadline; /* CLOCK_MONOTONIC, of a pass over rules; 0: none */
	__u8 wanted[PID_SLOTS / 8]; /* by the lowest 16 bits of the PID */
	/* By the same: processes whose share does not depend on others of the account. */
	__u8 favoured[PID_SLOTS / 8];
	/*
	 * By the same: exe_tag() of the process whose executable's path is
	 * known. A wrong match only leaves a path out, and user space sees that.
	 */
	__u32 exe_known[PID_SLOTS];
	struct want wants[WANT_SLOTS]; /* by the TID, modulo WANT_SLOTS */

	/* Written by the programs. */
	__u64 longest_ns[NUM_PROGRAMS]; /* of all calls for a task in a domain */
	__u64 view_ns[2];    /* spent on views */
	__u64 view_accounts; /* for which any was */
};

enum record_kind {
	RECORD_TASK = 1,
	RECORD_DOMAIN = 2,
	RECORD_EXE = 3,
	RECORD_END = 4,
	RECORD_SLOT = 5,
	RECORD_RULES = 6,
	RECORD_LAUNCHER = 7,
	RECORD_GRANTS = 8,
	RECORD_WORKER = 9,
	RECORD_OBJECT = 10,
};

struct header {
	__u16 kind;
	__u16 size; /* in bytes, with this header */
};

#define TASK_TORN (1U << 0)	/* the process changed while the record was made */
#define TASK_LEADER (1U << 1)
#define TASK_NO_NEW_PRIVS (1U << 2)
#define TASK_SYS_PTRACE (1U << 3) /* it has CAP_SYS_PTRACE in its user namespace */
#define TASK_LEAVING (1U << 4)	/* it runs no program: it exits, or has not begun to */

/* What is known of what rules grant on a task's root directory or above it. */
enum view {
	VIEW_NONE = 0,	   /* it is in no domain, or views are not looked for */
	VIEW_READ = 1,	   /* nothing is granted, but for what a grants_record says */
	VIEW_CHANGING = 2, /* the root directory was moved meanwhile */
	VIEW_TOO_DEEP = 3, /* it has more directories above it than are looked at */
	VIEW_DETACHED = 4, /* no way leads up from it to the top of a mount */
	VIEW_UNREAD = 5,   /* the account's time was used up */
	VIEW_OUTSIDE = 6,  /* the working directory is outside of the root directory */
};

struct task_record {
	struct header h;
	__s32 tid;
	__s32 pid;
	__s32 ppid;
	__u32 flags;	  /* PF_* */
	__u32 bits;	  /* TASK_* */
	__u32 exit_state;
	__s32 nr_threads; /* of the process */
	__u64 start;	  /* ns since boot */
	__u64 exec_id;
	__u64 exits;	  /* grows whenever a thread of the process goes */
	__u64 domain;	  /* key of the innermost domain, 0 = none */
	__u32 view;	  /* enum view */
	__u32 account;	  /* whose budgets it uses up: a user in the initial user namespace */
	__u64 cgroup;
	__u64 cgroup_v1;
	__u32 euid;
	__u32 user_ns;
	__u32 mnt_ns_owner;
	__u16 seccomp;
	__u16 depth;	  /* number of the domain's layers */
	char comm[16];
};

#define RULE_LAYERS 16

/* Comes before the task's record, of a view in which anything is granted. */
struct grants_record {
	struct header h;
	__s32 tid;
	/* For each layer, the outermost first; the record ends behind the last one. */
	__u32 everywhere[RULE_LAYERS];
};

/* Comes before the task's record, of a thread that the kernel made. */
struct worker_record {
	struct header h;
	__s32 tid;
	__u64 acting;	  /* key of the domain of task->cred, 0 = none */
};

struct domain_record {
	struct header h;
	__u16 depth;
	__u16 log_status; /* as the kernel numbers it */
	__u64 key;	  /* the kernel's ID, or an address that never leaves the daemon */
	__u64 parent;	  /* key, 0 = outermost */
	__u64 denials;
	__u32 mask;	  /* of its own layer, as stored */
	__u32 num_rules;  /* ABSENT: not known */
	__s32 creator_pid;
	__u32 creator_uid;
	char creator_comm[16];
};

/* The kernel's PATH_MAX. */
#define EXE_MAX 4096

#define EXE_MISSED (1U << 0)	/* the process changed meanwhile: nothing else is said */
#define EXE_LONG (1U << 1)	/* the path has EXE_MAX bytes or more, and is left out */
#define EXE_UNLINKED (1U << 2)	/* the path ends in " (deleted)" that is not of the name */
#define EXE_EXECUTED (1U << 3)	/* the kernel opened the file for execve(2) */
#define EXE_INIT_USER (1U << 4)	/* for a task of the initial user namespace */
#define EXE_INIT_MOUNT (1U << 5) /* that namespace owns the mount namespace of the file */
#define EXE_HOST_TREE (1U << 6)	/* the path leads up to the host's root directory */

struct exe_record {
	struct header h;
	__s32 pid;
	__u32 bits;	  /* EXE_* */
	__u32 spare;
	__u64 exec_id;
	/*
	 * The record ends behind the NUL, rounded up to 8 bytes. The spare ones
	 * are for the verifier, which bounds the sum before it is rounded; a
	 * test of the rounded size makes that of Linux 6.17 and 6.18 warn.
	 */
	char path[EXE_MAX + 8];
};

struct end_record {
	struct header h;
	__u32 pid_level; /* depth of the reader's PID namespace */
};

#define RULES_MAX 1024

#define RULE_PORT (1U << 0)	/* on a port, else on an inode */
#define RULE_FS_ROOT (1U << 1)	/* on the root of a filesystem */

/*
 * What one rule grants in one layer. The rights are as stored: those that the
 * layer does not handle are among them.
 */
struct rule_entry {
	__u64 object;	  /* port, or number of the inode, 0 if that is gone */
	__u32 dev;	  /* of the inode, as the kernel numbers it */
	__u32 access;
	__u32 bits;	  /* RULE_* */
	__u32 level;	  /* of the layer, from 1 */
};

#define RULES_DONE (1U << 0) /* there is no rule behind the last one */

/* Some rules of one task's domain, in the order of their keys. */
struct rules_record {
	struct header h;
	__s32 tid;
	__u64 start;
	__u64 exec_id;
	__u64 domain;	  /* key */
	__u64 next;	  /* least key that the rule that follows may have */
	__u32 tree;	  /* enum tree, in which that is */
	__u32 bits;	  /* RULES_* */
	__u32 num_layers;
	__u32 num_rules;  /* of the entries */
	struct rule_entry rules[RULES_MAX];
};

/* The kernel's LANDLOCK_PATH_MAX_SIZE. */
#define LAUNCHER_MAX 256

/* The executable of who created a domain, behind the last rules of one that is in it. */
struct launcher_record {
	struct header h;
	__u32 spare;
	__u64 key;	  /* of the domain */
	char path[LAUNCHER_MAX];
};

#define SLOTS 16
#define HELPER_LAYERS 7

/* Calibration: what would be there if the domain pointer were in this slot. */
struct slot_record {
	struct header h;
	__s32 tid;
	__u32 slot;	  /* offset in the blob, in units of 8 bytes */
	__u32 kthread;
	__u32 set;	  /* the slot is not NULL */
	__u32 num_layers;
	__u32 chain;	  /* number of hierarchies from the one found to the outermost */
	__u32 masks[HELPER_LAYERS]; /* of the innermost layers, innermost first */
};

/* Calibration: what would be there if Landlock's object of an inode were in this slot. */
struct object_record {
	struct header h;
	__s32 tid;	  /* of the helper whose root directory's inode it is */
	__u32 slot;	  /* offset in the blob, in units of 8 bytes */
	__u32 proven;	  /* it points back at the inode */
};

#endif
