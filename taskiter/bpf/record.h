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
	__u8 wanted[PID_SLOTS / 8]; /* by the lowest 16 bits of the PID */
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
};

struct header {
	__u16 kind;
	__u16 size; /* in bytes, with this header */
};

#define TASK_TORN (1U << 0)	/* the process changed while the record was made */
#define TASK_LEADER (1U << 1)
#define TASK_NO_NEW_PRIVS (1U << 2)

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
	__u32 depth;
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
