/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What passes between the programs and user space: native byte order, no
 * implicit padding. bpf2go makes Go types of it (gen.go), which record.go reads.
 */
#ifndef LANDLOCKD_RECORD_H
#define LANDLOCKD_RECORD_H

#define ABSENT 0xffffffffU

enum limit {
	SLOTS = 16,	    /* places in a blob that calibration looks at */
	HELPER_LAYERS = 7,  /* of the deepest helper of a calibration */
	RULE_LAYERS = 16,   /* of a domain whose rules are read */
	RULES_MAX = 1024,   /* in one record */
	PLACE_WORDS = 440,  /* of the places of rules in one record */
	LAUNCHER_MAX = 256, /* the kernel's LANDLOCK_PATH_MAX_SIZE */
	EXE_MAX = 4096,	    /* the kernel's PATH_MAX */
	PID_SLOTS = 65536,  /* processes that the lowest bits of their PIDs tell apart */
	EXE_SETS = 16384,   /* the same, for whose executable's path is known */
	EXE_WAYS = 8,	    /* processes of a set */
	WANT_SLOTS = 1024,  /* domains whose rules one pass can read */
	OBJECTS_MAX = 128,  /* that assets are */
	OBJECT_WORDS = 2,   /* of a bit for each object */
	SPACES_MAX = 2048,  /* mount namespaces that are looked at in one scan */
	WAY_WORDS = 1024,   /* of the ways of one mount namespace */
	SIGNS = 8,	    /* words of a domain that may say what it is */
};

/*
 * Offsets that user space resolved. ABSENT: this kernel has no such member.
 */
struct domain_layout {
	__u32 landlock;	   /* 0: no task can be in a domain, read nothing */
	__u32 blob;	   /* of the domain pointer in cred->security */
	__u32 num_layers;  /* in the domain: struct landlock_ruleset or _domain */
	__u32 num_rules;
	__u32 hierarchy;
	__u32 masks;
	__u32 mask_size;   /* of one layer's mask, 2 or 4 bytes */
	__u32 mask_step;   /* from one layer's mask to the next one's */
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
	__u32 signs;	   /* bit n: sign n is looked at */
	__u32 sign_at[SIGNS];	/* in struct landlock_hierarchy: a word with members */
	__u32 sign_bits[SIGNS]; /* that are not known here, and which bits they are */
};

/*
 * The same for the rules of a domain: how Landlock stores them.
 */
struct rule_layout {
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
	__u16 urgent; /* 1: after the deadline, too */
	__u16 places; /* 1: with where rules lie */
};

enum program {
	PROGRAM_SCAN = 0,
	PROGRAM_RULES = 1,
	PROGRAM_WAYS = 2,
	NUM_PROGRAMS = 3,
};

/*
 * Shared with user space through mmap(2), since the stage that scans may not
 * call bpf(2) but to create an iterator. It is written by user space alone, but
 * for the last members. Nothing in it may be an offset or an address to read at.
 */
struct control_block {
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
	 * By the lowest 14: exe_tag() of processes whose executable's path is known, the last
	 * one first. A host's PIDs are spread over millions: with a place for one, some of a few
	 * hundred would meet in it, and their paths be sent in each scan. A wrong match only
	 * leaves a path out, and user space sees that.
	 */
	__u32 exe_known[EXE_SETS][EXE_WAYS];
	struct want wants[WANT_SLOTS]; /* by the TID, modulo WANT_SLOTS */
	__u64 scan; /* whatever is another number in each scan */
	__u32 max_spaces; /* numbers that an account's tasks can get in a scan */
	__s32 resolver; /* process that has the objects open */
	/* Its descriptors of them, -1 for none; 0 of them: ways are not looked for. */
	__u32 num_objects;
	__s32 objects[OBJECTS_MAX];
	__u32 spare;

	/* Written by the programs. */
	__u64 longest_ns[NUM_PROGRAMS]; /* of all views, domains, calls for rules or ways */
	__u64 view_ns[2];    /* spent on views */
	__u64 view_accounts; /* for which any was */
	__u64 num_spaces;    /* that have a number in this scan; user space sets it to 0 */
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
	RECORD_OBJECT = 9,
	RECORD_WAYS = 10,
	RECORD_PLACES = 11,
};

struct header {
	__u16 kind;
	__u16 size; /* in bytes, with this header */
};

enum task_bits {
	TASK_TORN = 1 << 0,	    /* the process changed while the record was made */
	TASK_LEADER = 1 << 1,
	TASK_NO_NEW_PRIVS = 1 << 2,
	TASK_SYS_PTRACE = 1 << 3,   /* it has CAP_SYS_PTRACE in its user namespace */
	TASK_LEAVING = 1 << 4,	    /* it runs no program: it exits, or has not begun to */
	TASK_ONE_ID = 1 << 5,	    /* its user IDs are one, and so are its group IDs */
	TASK_NO_CAPS = 1 << 6,	    /* no capability is permitted to it */
	TASK_DUMPABLE = 1 << 7,	    /* by whoever has its credentials */
	TASK_OWNED = 1 << 8,	    /* account is who made the outermost user namespace it is in */
};

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
	__u32 flags;	  /* PF_* that workers have, which the kernel makes for processes */
	__u16 bits;	  /* enum task_bits */
	__u16 view;	  /* enum view */
	__u16 exit_state;
	__u16 space;	  /* number of its mount namespace in this scan, from 1; 0: none */
	__s32 nr_threads; /* of the process */
	__u64 start;	  /* ns since boot */
	__u64 exec_id;
	__u64 domain;	  /* key of the innermost domain, 0 = none */
	/*
	 * Of a thread that the kernel made for a process: the key of the domain of
	 * task->cred, 0 = none. That changes with what the thread works on.
	 */
	__u64 acting;
	__u64 cgroup;
	__u64 cgroup_v1;
	__u32 exits;	  /* grows whenever a thread of the process goes */
	__u32 account;	  /* whose budgets it uses up: a user in the initial user namespace */
	__u32 euid;
	__u32 user_ns;
	__u32 mnt_ns_owner;
	__u16 seccomp;
	__u16 depth;	  /* number of the domain's layers */
	__u32 egid;
	__u32 spare;
	__u8 comm[16];
};

/*
 * Comes before the task's record, of a view in which anything is granted. Behind it
 * are the granted rights, a __u32 for each layer, the outermost first.
 */
struct grants_record {
	struct header h;
	__s32 tid;
};

struct domain_record {
	struct header h;
	__u16 depth;
	__u16 log_status; /* as the kernel numbers it */
	__u64 key;	  /* the kernel's ID, or an address that never leaves the daemon */
	__u64 parent;	  /* key, 0 = outermost */
	__u64 denials;
	__u32 mask;	  /* of its own layer, as stored; 0: nobody here knows what it denies */
	__u32 num_rules;  /* ABSENT: not known */
	__s32 creator_pid;
	__u32 creator_uid;
	__u8 creator_comm[16];
};

enum exe_bits {
	EXE_MISSED = 1 << 0,	 /* the process changed meanwhile: nothing else is known */
	EXE_LONG = 1 << 1,	 /* the path has EXE_MAX bytes or more, and is left out */
	EXE_UNLINKED = 1 << 2,	 /* the path ends in " (deleted)" that is not of the name */
	EXE_EXECUTED = 1 << 3,	 /* the kernel opened the file for execve(2) */
	EXE_INIT_USER = 1 << 4,	 /* for a task of the initial user namespace */
	EXE_INIT_MOUNT = 1 << 5, /* that namespace owns the mount namespace of the file */
	EXE_HOST_TREE = 1 << 6,	 /* the path leads up to the host's root directory */
};

/* Behind it is the path with its NUL; zeros round its size up to 8 bytes. */
struct exe_record {
	struct header h;
	__s32 pid;
	__u32 bits;	  /* enum exe_bits */
	__u32 spare;
	__u64 exec_id;
};

struct end_record {
	struct header h;
	__u32 pid_level; /* depth of the reader's PID namespace */
};

enum rule_bits {
	RULE_PORT = 1 << 0,    /* on a port, else on an inode */
	RULE_FS_ROOT = 1 << 1, /* on the root of a filesystem */
};

/*
 * What one rule grants in one layer. The rights are as stored: those that the
 * layer does not handle are among them.
 */
struct rule_entry {
	__u64 object;	  /* port, or number of the inode, 0 if that is gone */
	__u32 dev;	  /* of the inode, as the kernel numbers it */
	__u32 access;
	__u16 bits;	  /* enum rule_bits */
	__u16 level;	  /* of the layer, from 1 */
	__u16 place;	  /* word of the places_record at which it is, from 1; 0: none */
	__u16 spare;
};

/* Some rules of one task's domain, in the order of their keys: rule_entry follow. */
struct rules_record {
	struct header h;
	__s32 tid;
	__u64 start;
	__u64 exec_id;
	__u64 domain;	  /* key */
	__u64 next;	  /* least key that the rule that follows may have */
	__u32 tree;	  /* enum tree, in which that is */
	__u32 done;	  /* 1: there is no rule behind the last one */
	__u32 num_layers;
	__u32 num_rules;  /* of the entries */
};

/*
 * Where the rules of the rules_record behind it lie: words follow. Of each rule on an inode
 * they are its key, by which ways name it (an address that never leaves the daemon), the
 * number of names that follow, and those: file_name() of the inode and of each directory
 * above it in its filesystem. No name: it is not known.
 */
struct places_record {
	struct header h;
	__u32 num_words;
};

/*
 * The executable of who created a domain, behind the last rules of one that is in it.
 * Its path follows: LAUNCHER_MAX bytes, of which one is a NUL.
 */
struct launcher_record {
	struct header h;
	__u32 spare;
	__u64 key;	  /* of the domain */
};

/* A mount namespace of tasks in domains. */
struct space {
	__u64 ns;	  /* its address */
	__u64 event;	  /* that its mounts changed at last */
	__u64 account;	  /* key of spending */
};

enum way_bits {
	WAY_UNREAD = 1 << 0,	/* more ways, or more above, than are looked at; it changed */
	WAY_PART = 1 << 1,	/* not to the object, but to some directory below it */
	WAY_UNPLACED = 1 << 2,	/* the object has names that are not known */
	WAY_OBJECT = 1 << 3,	/* the keys are file_name() and device of the object */
	WAY_MOUNTED = 1 << 4,	/* something is mounted below the object */
};

/*
 * The ways to objects that a mount namespace has: words follow. Of each way the first is
 * the number of the object, from 0 on, enum way_bits << 16, and the number of keys << 32;
 * so many follow, of rules on the object or on what is above it. With other bits than
 * WAY_PART it is none, or not all of one.
 *
 * Those of the space 0 are no ways: they hold of the objects in all others.
 */
struct ways_record {
	struct header h;
	__u32 space;	  /* its number */
	__u32 bits;	  /* enum way_bits: of all objects */
	__u32 num_words;
};

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
	__u32 signs;	  /* bit n: the innermost has sign n */
};

/* Calibration: what would be there if Landlock's object of an inode were in this slot. */
struct object_record {
	struct header h;
	__s32 tid;	  /* of the helper whose root directory's inode it is */
	__u32 slot;	  /* offset in the blob, in units of 8 bytes */
	__u32 proven;	  /* it points back at the inode */
};

/*
 * What Go types are made of, with all that is in it. It is in a section that is not
 * loaded, so that the compiler describes types that programs have on their stacks only.
 */
union described {
	struct header header;
	struct task_record task;
	struct domain_record domain;
	struct exe_record exe;
	struct end_record end;
	struct slot_record slot;
	struct rules_record rules;
	struct rule_entry rule;
	struct launcher_record launcher;
	struct grants_record grants;
	struct object_record object;
	struct ways_record ways;
	struct places_record places;
	enum record_kind kind;
	enum task_bits task_bits;
	enum exe_bits exe_bits;
	enum rule_bits rule_bits;
	enum view view;
	enum way_bits way_bits;
	enum tree tree;
	enum program program;
	enum limit limit;
};

#endif
