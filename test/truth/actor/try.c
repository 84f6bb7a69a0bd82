// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "landlock.h"
#include "site.h"
#include "sys.h"
#include "table.h"

static char base[512];

static const char *in(const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

// fresh is a name that no other try has: to remove what was made may be denied.
static const char *fresh(uint32_t right)
{
	char name[32];

	snprintf(name, sizeof(name), "new-%d-%x", sys_gettid(), right);
	return in(name);
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

// makes states whether something was made, and removes it if it may.
static int makes(uint32_t right, int err)
{
	if (err)
		return errno;
	if (unlink(fresh(right)))
		rmdir(fresh(right));
	return 0;
}

static int executes(void)
{
	char *argv[] = {SITE_PROGRAM, NULL}, *envp[] = {NULL};

	// The kernel opens a program, asks Landlock, and then looks at what it is.
	execve(in(SITE_PROGRAM), argv, envp);
	return errno == ENOEXEC ? 0 : errno;
}

static int attempt(uint32_t right)
{
	switch (right) {
	case LL_FS_EXECUTE:
		return executes();
	case LL_FS_WRITE_FILE:
		return opens(in(SITE_FILE), O_WRONLY);
	case LL_FS_READ_FILE:
		return opens(in(SITE_FILE), O_RDONLY);
	case LL_FS_READ_DIR:
		return opens(in(""), O_RDONLY | O_DIRECTORY);
	case LL_FS_MAKE_DIR:
		return makes(right, mkdir(fresh(right), 0700));
	case LL_FS_MAKE_REG:
		return makes(right, mknod(fresh(right), S_IFREG | 0600, 0));
	case LL_FS_MAKE_SOCK:
		return makes(right, mknod(fresh(right), S_IFSOCK | 0600, 0));
	case LL_FS_MAKE_FIFO:
		return makes(right, mknod(fresh(right), S_IFIFO | 0600, 0));
	case LL_FS_MAKE_SYM:
		return makes(right, symlink("nowhere", fresh(right)));
	default:
		return truncate(in(SITE_FILE), 0) ? errno : 0;
	}
}

uint32_t try_rights(uint32_t wanted, uint32_t *denied)
{
	// To execute a program is to read it, too: reading is tried first.
	static const uint32_t order[] = {
		LL_FS_READ_FILE, LL_FS_EXECUTE,	 LL_FS_WRITE_FILE, LL_FS_READ_DIR, LL_FS_MAKE_DIR,
		LL_FS_MAKE_REG,	 LL_FS_MAKE_SOCK, LL_FS_MAKE_FIFO, LL_FS_MAKE_SYM, LL_FS_TRUNCATE,
	};
	uint32_t tried = 0;

	*denied = 0;
	base[0] = 0;
	if (!site_rooted())
		snprintf(base, sizeof(base), "%.400s/free", table->site);
	for (unsigned i = 0; i < sizeof(order) / sizeof(*order); i++) {
		uint32_t right = order[i];
		int err;

		if (!(right & wanted) || (right == LL_FS_EXECUTE && *denied & LL_FS_READ_FILE))
			continue;
		err = attempt(right);
		tried |= right;
		if (err == EACCES) {
			*denied |= right;
		} else if (err) {
			errno = err;
			die("task %d tries right %#x below \"%s\": %m", sys_gettid(), right, base);
		}
	}
	return tried;
}
