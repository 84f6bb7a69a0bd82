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
	LL_FS_WRITE_FILE = 1 << 1,
	LL_FS_READ_FILE = 1 << 2,
	LL_FS_READ_DIR = 1 << 3,
	LL_FS_MAKE_DIR = 1 << 7,
	LL_FS_MAKE_REG = 1 << 8,
	LL_FS_MAKE_SOCK = 1 << 9,
	LL_FS_MAKE_FIFO = 1 << 10,
	LL_FS_MAKE_SYM = 1 << 12,
	LL_FS_REFER = 1 << 13,
	LL_FS_TRUNCATE = 1 << 14,
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

// ll_some draws a mask of some of the bits of another; of none only if that has none.
uint32_t ll_some(uint32_t all, uint64_t *rng);

// struct ll_rule allows rights to what is below a directory.
struct ll_rule {
	int fd;
	uint32_t allowed;
};

// ll_restrict makes a ruleset that handles the mask and has n rules, restricts the
// calling thread with it and returns 0 or an errno. Executing the actor's links
// stays allowed. Without CAP_SYS_ADMIN it first sets no_new_privs, and then *nnp.
int ll_restrict(struct ll_mask mask, const struct ll_rule *rules, int n, uint8_t *nnp);

#endif
