/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Where the kernel keeps domains, which user space found out, and how they are read.
 */
#ifndef LANDLOCKD_LAYOUT_H
#define LANDLOCKD_LAYOUT_H

#define PF_KTHREAD 0x00200000
#define PF_EXITING 0x00000004
#define S_IFMT 0170000
#define S_IFDIR 0040000

volatile const struct domain_layout layout = {};

#define READ(dst, src) bpf_probe_read_kernel(&(dst), sizeof(dst), (const void *)(src))

/* What one layer of a domain handles, as it is stored; the outermost layer is 0. */
static __always_inline __u32 layer_mask(const void *domain, __u32 layer)
{
	const void *at = domain + layout.masks + (__u64)layer * layout.mask_size;

	if (layout.mask_size == 2) {
		__u16 m = 0;

		READ(m, at);
		return m;
	} else {
		__u32 m = 0;

		READ(m, at);
		return m;
	}
}

#endif
