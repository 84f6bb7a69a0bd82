// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "roots.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "rng.h"
#include "site.h"
#include "steps.h"
#include "sys.h"
#include "table.h"

#define PATH 512

// enter makes a directory (O_PATH) the root of the calling thread and of those that
// share its root, and their working directory. It leads from any root to any other.
// If the kernel forbids it, nothing changes: a working directory outside of the root
// would be a way to what is not tried.
static int enter(int fd)
{
	int was = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int ok = 0;

	if (was < 0 || fchdir(fd))
		goto out;
	ok = !chroot(".");
	if (!ok && fchdir(was))
		die("return to the working directory: %m");
out:
	close(was);
	return ok;
}

static int enter_site(const char *path)
{
	int fd = site_open(path);
	int ok = enter(fd);

	close(fd);
	return ok;
}

static void change(enum op_kind op)
{
	int level = (int)rng_below(&self->rng, SITE_LEVELS + 1);
	char path[128];

	if (self->mount_fd >= 0 && rng_below(&self->rng, 3) == 0) {
		if (!enter(self->mount_fd))
			return;
		table_count(OP_root_mounted);
	} else if (level == SITE_LEVELS) {
		site_deep(path, sizeof(path));
		if (!enter_site(path))
			return;
		table_count(OP_root_deep);
	} else if (self->slot >= 0) {
		site_level(path, sizeof(path), level);
		if (!enter_site(path))
			return;
	} else {
		return;
	}
	table_count(op);
}

void root_change(void)
{
	change(OP_root);
}

void root_change_alone(void)
{
	if (!unshare(CLONE_FS))
		change(OP_root_of_thread);
}

// bind mounts one directory on another, and reports success.
static int bind(const char *from, const char *on)
{
	return !mount(from, on, NULL, MS_BIND, NULL);
}

// in writes the path of something in the process's slot, relative to the site.
static void in(char *path, size_t n, const char *name)
{
	snprintf(path, n, "slots/%d%s", self->slot, name);
}

// from_top writes the path of a part of the site from the host's root.
static const char *from_top(char path[PATH], const char *part)
{
	snprintf(path, PATH, "%.400s/%.100s", table->site, part);
	return path;
}

// mount_some mounts directories of the process's slot and returns the path of one
// to be a root, or NULL if the kernel forbids it.
static const char *mount_some(void)
{
	uint32_t kind = rng_below(&self->rng, 4), where = rng_below(&self->rng, 3);
	static char a[PATH], on[PATH], n[PATH], below[PATH + 8];
	char part[128];

	site_level(part, sizeof(part), SITE_A);
	from_top(a, part);
	if (kind == 0) // it hides the directory that is mounted
		return bind(a, a) ? a : NULL;
	if (where == 0) // what is above the mount is far from what was mounted
		site_deep(part, sizeof(part));
	else
		in(part, sizeof(part), where == 1 && !self->a_moved ? "/z" : "/m");
	if (!bind(a, from_top(on, part)))
		return NULL;
	if (self->b_moved || kind == 3)
		return on;
	snprintf(below, sizeof(below), "%s/b", on);
	if (kind == 1) {
		// Moved out of what is mounted, it would be a root without a way up.
		self->b_stays = 1;
		return below;
	}
	in(part, sizeof(part), "/n");
	if (!bind(below, from_top(n, part)))
		return NULL;
	snprintf(below, sizeof(below), "%s/c", n);
	return below;
}

void root_mount(void)
{
	const char *root;

	// Only from the host's root do paths lead to the site.
	if (self->slot < 0 || site_rooted())
		return;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return;
	table_count(OP_mount_namespace);
	root = mount_some();
	if (!root)
		return;
	if (self->mount_fd >= 0)
		close(self->mount_fd);
	// Kept for later, and for children: whoever has it can enter it.
	self->mount_fd = open(root, O_PATH | O_DIRECTORY);
	if (self->mount_fd < 0)
		die("open what was mounted: %m");
	table_count(OP_bind_mount);
	if (rng_below(&self->rng, 2) && enter(self->mount_fd)) {
		table_count(OP_root);
		table_count(OP_root_mounted);
	}
}

void root_rename(void)
{
	uint8_t *moved = rng_below(&self->rng, 2) ? &self->a_moved : &self->b_moved;
	int level = moved == &self->a_moved ? SITE_A : SITE_B;
	char from[64], to[64];

	if (self->slot < 0 || (level == SITE_B && self->b_stays))
		return;
	site_level(from, sizeof(from), level);
	*moved ^= 1;
	site_level(to, sizeof(to), level);
	if (renameat(FD_SITE, from, FD_SITE, to)) {
		*moved ^= 1;
		return;
	}
	table_count(OP_rename);
}

// place draws where a rule is, and opens it.
static int place(void)
{
	enum { TOP, SLOTS, DEEP, OWN };
	uint32_t at = rng_below(&self->rng, self->slot < 0 ? OWN : OWN + SITE_LEVELS + 1);
	char path[64];

	switch (at) {
	case TOP:
		table_count(OP_rule_on_top);
		return dup(FD_TOP);
	case SLOTS:
		table_count(OP_rule_above);
		return site_open("slots");
	case DEEP:
		table_count(OP_rule_far_above);
		return site_open("deep");
	case OWN + SITE_LEVELS:
		table_count(OP_rule_beside);
		snprintf(path, sizeof(path), "slots/%d/z", self->slot);
		return site_open(path);
	default:
		table_count(site_rooted() ? OP_rule_in_slot_after_root : OP_rule_in_slot_before_root);
		site_level(path, sizeof(path), at - OWN);
		return site_open(path);
	}
}

int root_rules(struct ll_rule *rules, uint32_t handled)
{
	int n = handled ? (int)rng_below(&self->rng, MAX_RULES + 1) : 0;

	for (int i = 0; i < n; i++) {
		rules[i].fd = place();
		if (rules[i].fd < 0)
			die("open where a rule is to be: %m");
		rules[i].allowed = rng_below(&self->rng, 3) ? ll_some(handled, &self->rng) : handled;
	}
	return n;
}
