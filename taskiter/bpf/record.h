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
	__u32 cgroup_v1;   /* 1: there is a v1 hierarchy named "systemd" */
	__u32 derive;	   /* 1: name domains by address even if they have an ID */
	__u32 max_layers;  /* that a domain can have on this kernel */
	__u32 fence;	   /* 1: this machine reorders loads */
	__u32 log_status;  /* in struct landlock_hierarchy */
	__u32 creator_exe; /* in struct landlock_details */
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

/*
 * Shared with user space through mmap(2), since the stage that scans may not
 * call bpf(2) but to create an iterator. It is written by user space alone.
 * Nothing in it may be an offset or an address to read at.
 */
struct control {
	__u32 selected; /* 1: only the processes in wanted */
	__u32 helpers[3]; /* calibration: the tasks to look at */
	__u8 wanted[PID_SLOTS / 8]; /* by the lowest 16 bits of the PID; rules: of the TID */
	/*
	 * By the same: exe_tag() of the process whose executable's path is
	 * known. A wrong match only leaves a path out, and user space sees that.
	 */
	__u32 exe_known[PID_SLOTS];
};

enum record_kind {
	RECORD_TASK = 1,
	RECORD_DOMAIN = 2,
	RECORD_EXE = 3,
	RECORD_END = 4,
	RECORD_SLOT = 5,
	RECORD_RULES = 6,
	RECORD_LAUNCHER = 7,
};

struct header {
	__u16 kind;
	__u16 size; /* in bytes, with this header */
};

#define TASK_TORN (1U << 0)	/* the process changed while the record was made */
#define TASK_LEADER (1U << 1)
#define TASK_NO_NEW_PRIVS (1U << 2)
#define TASK_SYS_PTRACE (1U << 3) /* it has CAP_SYS_PTRACE in its user namespace */

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
	__u64 root;	  /* what its root directory is, only to compare; 0 without a domain */
	__u64 cgroup;
	__u64 cgroup_v1;
	__u32 euid;
	__u32 user_ns;
	__u32 mnt_ns_owner;
	__u32 seccomp;
	char comm[16];
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

#define EXE_MAX 1024

struct exe_record {
	struct header h;
	__s32 pid;
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

#define RULE_LAYERS 16
#define RULES_MAX 1024
#define NET_RIGHTS 8

/* What the rules of one layer come to. */
struct layer_entry {
	__u64 key;	  /* of the domain whose own layer it is */
	__u32 inodes;	  /* number of rules */
	__u32 ports;
	__u32 everywhere; /* rights granted on the task's root directory or above it */
	__u32 spare;
	__u32 granted[NET_RIGHTS]; /* on how many ports, without port 0, each right is */
};

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

#define RULES_UNFINISHED (1U << 0) /* there are more than was looked at */

/* The rules of all layers of one task's domain. */
struct rules_record {
	struct header h;
	__s32 tid;
	__u64 start;
	__u64 exec_id;
	__u64 root;	  /* as in the task's record */
	__u32 bits;	  /* RULES_* */
	__u32 num_layers;
	__u32 num_rules;  /* of the entries that follow the layers */
	__u32 spare;
	struct layer_entry layers[RULE_LAYERS]; /* the outermost first */
	struct rule_entry rules[RULES_MAX];
};

/* The kernel's LANDLOCK_PATH_MAX_SIZE. */
#define LAUNCHER_MAX 256

/* The executable of who created a domain, behind the rules of one that is in it. */
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

#endif
