/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What passes between the programs and user space: native byte order, no
 * implicit padding. bpf2go makes Go types of it (gen.go).
 */
#ifndef LANDLOCKD_EVENT_H
#define LANDLOCKD_EVENT_H

/*
 * What user space found in the types of the tracepoints' arguments.
 */
struct forms {
	__u32 fs_pointer;  /* 1: blockers come as struct landlock_blockers *, 0: as a mask */
	__u32 net_pointer;
	__u32 net_address; /* 1: the address that was asked for is an argument, 0: two ports */
	__u32 tracer;	   /* 1: landlock_deny_ptrace has who wanted to trace */
	__u32 flags;	   /* 1: all have same_exec and logged behind the domain */
};

enum kind {
	KIND_FS,
	KIND_NET,
	KIND_PTRACE,
	KIND_ABSTRACT,
	KIND_SIGNAL,
};

enum answer {
	ANSWER_UNKNOWN,
	ANSWER_NO,
	ANSWER_YES,
};

#define TEXT_SIZE 256

struct event {
	__u64 domain;
	__u64 time;  /* CLOCK_BOOTTIME */
	__u64 start; /* of the process, as above */
	__u32 pid;   /* as the initial PID namespace has it; 0 if it is not known */
	__u32 tid;
	__u32 kind;
	__u32 blockers;
	__u32 target; /* PID of who was to be traced or signalled, or listens at the socket */
	__u32 same_exec; /* enum answer: the program is the one that made the domain */
	__u32 logged;	 /* enum answer: the kernel logs it, if audit is on */
	__u16 port;
	__u16 length; /* of text */
	__u8 comm[16];
	__u8 text[TEXT_SIZE];
};

/*
 * Places in the array of counts. Each class of rights has 32, as in blocker.go.
 */
enum count {
	COUNT_FS = 0,
	COUNT_NET = 32,
	COUNT_PTRACE = 96,
	COUNT_TOPOLOGY = 97,
	COUNT_ABSTRACT = 64 + 0,
	COUNT_SIGNAL = 64 + 1,
	COUNT_LOST = 120, /* events that found no room in the ring */
	COUNTS = 128,
};

#define RING_SIZE (512 * 1024)

/*
 * What Go types are made of. It is in a section that is not loaded.
 */
union described {
	struct event event;
	enum kind kind;
	enum count count;
	enum answer answer;
};

#endif
