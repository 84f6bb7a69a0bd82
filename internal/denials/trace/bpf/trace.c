// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Counts what Landlock denies, and sends one event for each denial. One program
 * for each tracepoint; what their arguments are differs between kernels, so that
 * user space looks and says it in struct forms.
 *
 * The counts stay complete when the ring is full; what is lost then is counted.
 */
#include "../../../../taskiter/bpf/types.h"
#include "kernel.h"
#include "event.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

const volatile struct forms config;

const union described *described SEC(".described") = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_SIZE);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

/* One for each program: none of them runs twice on a CPU at the same time. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 5);
	__type(key, __u32);
	__type(value, struct event);
} scratch SEC(".maps");

static __always_inline void count(__u32 at)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &at);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline void count_mask(__u32 first, __u32 mask)
{
	for (__u32 bit = 0; bit < 32; bit++)
		if (mask & (1U << bit))
			count(first + bit);
}

static __always_inline void who(struct event *e, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	e->pid = BPF_CORE_READ(task, tgid);
	e->tid = BPF_CORE_READ(task, pid);
	e->start = BPF_CORE_READ(leader, start_boottime);
	BPF_CORE_READ_INTO(&e->comm, task, comm);
}

static __always_inline __u32 answer(__u64 flag)
{
	if (!config.flags)
		return ANSWER_UNKNOWN;
	return (__u8)flag ? ANSWER_YES : ANSWER_NO;
}

/* The event of a program, with all but what was asked for filled in. */
static __always_inline struct event *begin(__u32 kind, const __u64 *args)
{
	struct landlock_hierarchy *hierarchy = (void *)args[0];

	struct event *e = bpf_map_lookup_elem(&scratch, &kind);

	if (!e)
		return 0;
	e->domain = BPF_CORE_READ(hierarchy, id);
	e->time = bpf_ktime_get_boot_ns();
	e->kind = kind;
	e->blockers = 0;
	e->target = 0;
	e->same_exec = answer(args[1]);
	e->logged = answer(args[2]);
	e->port = 0;
	e->length = 0;
	who(e, (struct task_struct *)bpf_get_current_task());
	return e;
}

static __always_inline void send(struct event *e)
{
	__u32 size = __builtin_offsetof(struct event, text) + e->length;

	if (size > sizeof(*e))
		size = sizeof(*e);
	if (bpf_ringbuf_output(&events, e, size, 0))
		count(COUNT_LOST);
}

SEC("raw_tp/landlock_deny_access_fs")
int deny_fs(struct bpf_raw_tracepoint_args *ctx)
{
	struct event *e = begin(KIND_FS, ctx->args);
	__u32 blockers;
	long n;

	if (config.fs_pointer)
		blockers = BPF_CORE_READ((struct landlock_blockers *)ctx->args[3], access);
	else
		blockers = ctx->args[3];
	/* No right is missing for a change of the mounts: nothing allows that. */
	if (blockers)
		count_mask(COUNT_FS, blockers);
	else
		count(COUNT_TOPOLOGY);
	if (!e)
		return 0;
	e->blockers = blockers;
	n = bpf_probe_read_kernel_str(e->text, sizeof(e->text), (void *)ctx->args[5]);
	if (n > 1 && n <= TEXT_SIZE)
		e->length = n - 1; /* without the NUL */
	send(e);
	return 0;
}

/* Where the port is in struct sockaddr_in and sockaddr_in6. */
static __always_inline __u16 port_of(__u64 address)
{
	__be16 port = 0;

	bpf_probe_read_kernel(&port, sizeof(port), (void *)(address + 2));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	port = __builtin_bswap16(port);
#endif
	return port;
}

SEC("raw_tp/landlock_deny_access_net")
int deny_net(struct bpf_raw_tracepoint_args *ctx)
{
	struct event *e = begin(KIND_NET, ctx->args);
	__u32 blockers;

	if (config.net_pointer)
		blockers = BPF_CORE_READ((struct landlock_blockers *)ctx->args[3], access);
	else
		blockers = ctx->args[3];
	count_mask(COUNT_NET, blockers);
	if (!e)
		return 0;
	e->blockers = blockers;
	if (!config.net_address)
		e->port = ctx->args[5] ? ctx->args[5] : ctx->args[6];
	else if (ctx->args[6] && (__s32)ctx->args[7] >= 4)
		e->port = port_of(ctx->args[6]);
	send(e);
	return 0;
}

static __always_inline void target(struct event *e, struct task_struct *task)
{
	e->target = BPF_CORE_READ(task, tgid);
	BPF_CORE_READ_STR_INTO(&e->text, task, comm);
	for (__u32 i = 0; i < sizeof(e->comm); i++) {
		if (!e->text[i])
			break;
		e->length = i + 1;
	}
}

SEC("raw_tp/landlock_deny_ptrace")
int deny_ptrace(struct bpf_raw_tracepoint_args *ctx)
{
	struct event *e = begin(KIND_PTRACE, ctx->args);

	count(COUNT_PTRACE);
	if (!e)
		return 0;
	target(e, (struct task_struct *)ctx->args[4]);
	/* With PTRACE_TRACEME it is the parent who is denied. */
	if (config.tracer)
		who(e, (struct task_struct *)ctx->args[5]);
	else if (e->target == e->pid)
		e->pid = e->tid = 0;
	send(e);
	return 0;
}

SEC("raw_tp/landlock_deny_scope_signal")
int deny_signal(struct bpf_raw_tracepoint_args *ctx)
{
	struct event *e = begin(KIND_SIGNAL, ctx->args);

	count(COUNT_SIGNAL);
	if (!e)
		return 0;
	target(e, (struct task_struct *)ctx->args[4]);
	send(e);
	return 0;
}

SEC("raw_tp/landlock_deny_scope_abstract_unix_socket")
int deny_abstract(struct bpf_raw_tracepoint_args *ctx)
{
	struct event *e = begin(KIND_ABSTRACT, ctx->args);
	struct unix_address *address;
	__s32 length;

	count(COUNT_ABSTRACT);
	if (!e)
		return 0;
	/* Who listens; others have no such process. */
	e->target = BPF_CORE_READ((struct sock *)ctx->args[4], sk_peer_pid, numbers[0].nr);
	address = BPF_CORE_READ((struct unix_sock *)ctx->args[4], addr);
	/* A family and a name, which need not end with a NUL. */
	length = BPF_CORE_READ(address, len) - 2;
	if (length > 0 && length <= 108 &&
	    !bpf_probe_read_kernel(e->text, length, (char *)address + bpf_core_field_offset(address->name) + 2))
		e->length = length;
	send(e);
	return 0;
}
