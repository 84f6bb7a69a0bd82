/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Numbers at addresses, of which the compiler's types say nothing. A bad address gives 0.
 *
 * From Linux 6.2 on what is at an address can be taken to be of a type, and is read by a plain
 * instruction, in place of a call that takes five times as long.
 */
#ifndef LANDLOCKD_LOAD_H
#define LANDLOCKD_LOAD_H

#define AS(type, at) ((type *)bpf_rdonly_cast((const void *)(at), bpf_core_type_id_kernel(type)))

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* As struct upid, one that all kernels have, with a number at its beginning. */
struct timespec64 {
	__s64 tv_sec;
};

#pragma clang attribute pop

static __always_inline __u64 load64(const void *at)
{
	__u64 number = 0;

	if (bpf_rdonly_cast)
		return AS(struct timespec64, at)->tv_sec;
	READ(number, at);
	return number;
}

static __always_inline __u32 load32(const void *at)
{
	__u32 number = 0;

	if (bpf_rdonly_cast)
		return AS(struct upid, at)->nr;
	READ(number, at);
	return number;
}

/* A member of 8 bytes, or of 4, of what is at an address. */
#define LOAD64(type, at, member) load64((const void *)(at) + bpf_core_field_offset(type, member))
#define LOAD32(type, at, member) load32((const void *)(at) + bpf_core_field_offset(type, member))

#endif
