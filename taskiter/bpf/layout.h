/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Where the kernel keeps domains, which user space found out, and how they are read.
 */
#ifndef LANDLOCKD_LAYOUT_H
#define LANDLOCKD_LAYOUT_H

#define PF_KTHREAD 0x00200000
#define PF_EXITING 0x00000004
#define PFA_NO_NEW_PRIVS 1
#define S_IFMT 0170000
#define S_IFDIR 0040000

volatile const struct domain_layout layout = {};

#define READ(dst, src) bpf_probe_read_kernel(&(dst), sizeof(dst), (const void *)(src))

/* What one layer of a domain handles, as it is stored; the outermost layer is 0. */
static __always_inline __u32 layer_mask(const void *domain, __u32 layer)
{
	const void *at = domain + layout.masks + (__u64)layer * layout.mask_step;

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

/*
 * Which signs a domain has: members that are not known here, and are set. It is of a kind
 * that came later: it may deny less than it handles, or have rules elsewhere.
 */
static __always_inline __u32 signs_of(const void *hierarchy)
{
	__u32 signs = 0, i;

	for (i = 0; i < SIGNS; i++) {
		__u32 word = 0;

		if (!(layout.signs >> i & 1))
			continue;
		READ(word, hierarchy + layout.sign_at[i]);
		if (word & layout.sign_bits[i])
			signs |= 1U << i;
	}
	return signs;
}

#endif
