// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "landlock.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rng.h"
#include "sys.h"

// The numbers are the same on every architecture.
#define NR_CREATE_RULESET 444
#define NR_ADD_RULE 445
#define NR_RESTRICT_SELF 446
#define CREATE_VERSION 1
#define RULE_PATH_BENEATH 1

struct ruleset_attr {
	uint64_t fs, net, scope;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

int ll_abi(void)
{
	long v = syscall(NR_CREATE_RULESET, NULL, 0, CREATE_VERSION);

	return v < 0 ? -errno : (int)v;
}

// create accepts the widest form: the kernel refuses only what it does not know
// and is not zero.
static int create(struct ll_mask m)
{
	struct ruleset_attr attr = {.fs = m.fs, .net = m.net, .scope = m.scope};

	return syscall(NR_CREATE_RULESET, &attr, sizeof(attr), 0);
}

static int known(struct ll_mask m)
{
	int fd = create(m);

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

struct ll_mask ll_rights(void)
{
	struct ll_mask all = {0};

	for (int i = 0; i < 32; i++) {
		uint32_t bit = (uint32_t)1 << i;

		if (known((struct ll_mask){.fs = bit}))
			all.fs |= bit;
		if (known((struct ll_mask){.net = bit}))
			all.net |= bit;
		if (known((struct ll_mask){.scope = bit}))
			all.scope |= bit;
	}
	return all;
}

uint32_t ll_some(uint32_t all, uint64_t *rng)
{
	uint32_t m = all & (uint32_t)rng_next(rng);
	uint32_t skip;

	if (m || !all)
		return m;
	for (skip = rng_below(rng, __builtin_popcount(all)); skip; skip--)
		all &= all - 1;
	return all & -all;
}

struct ll_mask ll_random(struct ll_mask all, uint64_t *rng, int plain)
{
	struct ll_mask m = {0};
	uint32_t fs = all.fs, kind;

	if (plain)
		fs &= ~(LL_FS_EXECUTE | LL_FS_READ_FILE);
	kind = rng_below(rng, 6);
	if (kind == 1 && all.net) {
		m.net = ll_some(all.net, rng);
	} else if (kind == 2 && all.scope) {
		m.scope = ll_some(all.scope, rng);
	} else {
		m.fs = ll_some(fs, rng);
		if (kind >= 3) {
			m.net = ll_some(all.net, rng);
			m.scope = ll_some(all.scope, rng);
		}
	}
	// Newer kernels store refer as handled whenever a right of fs is, older
	// ones only when asked: ask, and the truth is the same everywhere.
	if (m.fs)
		m.fs |= all.fs & LL_FS_REFER;
	return m;
}

static int add_rule(int fd, uint32_t allowed, int dir)
{
	struct path_beneath rule = {.allowed = allowed, .parent = dir};

	if (!allowed || !syscall(NR_ADD_RULE, fd, RULE_PATH_BENEATH, &rule, 0))
		return 0;
	return errno;
}

int ll_restrict(struct ll_mask m, const struct ll_rule *rules, int n, uint8_t *nnp)
{
	int fd = create(m), err;

	if (fd < 0)
		return errno;
	err = add_rule(fd, m.fs & (LL_FS_EXECUTE | LL_FS_READ_FILE), FD_BIN);
	for (int i = 0; i < n && !err; i++)
		err = add_rule(fd, rules[i].allowed, rules[i].fd);
	if (!err && syscall(NR_RESTRICT_SELF, fd, 0)) {
		err = errno;
		if (err == EPERM && !*nnp && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
			*nnp = 1;
			err = syscall(NR_RESTRICT_SELF, fd, 0) ? errno : 0;
		}
	}
	close(fd);
	return err;
}
