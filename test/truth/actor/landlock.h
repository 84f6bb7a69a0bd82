// SPDX-License-Identifier: Apache-2.0

// Landlock by raw system calls, on any kernel that has it and built with the
// headers of any.
#ifndef LANDLOCK_H
#define LANDLOCK_H

#include <stdint.h>

// The deepest nesting that this program makes. Linux before 5.19 allows more.
#define LL_MAX_DEPTH 16

struct ll_mask {
	uint32_t fs, net, scope;
};

enum {
	LL_FS_EXECUTE = 1 << 0,
	LL_FS_READ_FILE = 1 << 2,
	LL_FS_REFER = 1 << 13,
};

// ll_abi returns the kernel's ABI version, or a negative errno.
int ll_abi(void);

// ll_rights returns every right that the running kernel accepts. It tries each
// bit instead of knowing which version brought which.
struct ll_mask ll_rights(void);

// ll_random draws a mask that is never empty: fs only, net only, scope only or
// mixed, as far as the kernel has them. The rights to read and execute are left
// out if plain is set.
struct ll_mask ll_random(struct ll_mask all, uint64_t *rng, int plain);

// ll_restrict makes a ruleset that handles the mask, restricts the calling
// thread with it and returns 0 or an errno. Executing the actor's links stays
// allowed. Without CAP_SYS_ADMIN it first sets no_new_privs, and then *nnp.
int ll_restrict(struct ll_mask mask, uint8_t *nnp);

#endif
