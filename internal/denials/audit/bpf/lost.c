// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Counts the records that the kernel loses before it sends them to anybody: beyond
 * the backlog or the rate limit. Its own count of them is for CAP_AUDIT_CONTROL
 * alone.
 */
#include "../../../../taskiter/bpf/types.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

SEC("fentry/audit_log_lost")
int count_lost(__u64 *args)
{
	char message[8] = {};
	__u32 first = 0;
	__u64 *n;

	/* "kauditd ...": the audit daemon did not get it, but others did. */
	bpf_probe_read_kernel(message, sizeof(message) - 1, (void *)args[0]);
	if (message[0] == 'k' && message[1] == 'a' && message[2] == 'u')
		return 0;
	n = bpf_map_lookup_elem(&lost, &first);
	if (n)
		__sync_fetch_and_add(n, 1);
	return 0;
}
