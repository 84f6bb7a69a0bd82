// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "swing.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "landlock.h"
#include "sys.h"
#include "table.h"

// depths of roots below the directory that is moved.
static const int depths[] = {0, 1, 3, 8, 20, 40};

static void restrict_in(void)
{
	struct ll_mask m = {.fs = LL_FS_READ_FILE | LL_FS_WRITE_FILE};
	struct ll_rule rules[] = {
		{openat(FD_SITE, "a", O_PATH), LL_FS_READ_FILE},
		{openat(FD_SITE, "z", O_PATH), LL_FS_WRITE_FILE},
	};
	uint8_t nnp = 0;
	int err = ll_restrict(m, rules, 2, &nnp);

	if (err)
		die("restrict: %s", strerror(err));
	close(rules[0].fd);
	close(rules[1].fd);
}

static int start(const char *path)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready)) {
		fail("pipe: %m");
		return 0;
	}
	pid = sys_clone(0);
	if (pid < 0)
		fail("clone: %m");
	if (!pid) {
		int root = openat(FD_SITE, path, O_PATH);

		leave_coordinator();
		close(ready[0]);
		if (root < 0 || fchdir(root) || chroot("."))
			die("make %s the root: %m", path);
		close(root);
		restrict_in();
		close(ready[1]);
		wait_hangup(FD_LIFE);
		_exit(0);
	}
	close(ready[1]);
	// It hangs up when the process is where it is to be.
	if (read(ready[0], &c, 1) < 0)
		fail("wait for a process: %m");
	close(ready[0]);
	return pid;
}

void swing_start(const char *site)
{
	char path[256] = "a/moved";
	unsigned n = 0;

	open_at(FD_SITE, site);
	if (mkdirat(FD_SITE, "a", 0755) || mkdirat(FD_SITE, "z", 0755) || mkdirat(FD_SITE, path, 0755))
		fail("make the site: %m");
	printf("{\"abi\":%d,\"pids\":[", table->abi);
	for (int depth = 0; n < sizeof(depths) / sizeof(*depths) && !table->failed[0]; depth++) {
		if (depth == depths[n])
			printf("%s%d", n++ ? "," : "", table->abi < 1 ? 0 : start(path));
		strcat(path, "/d");
		if (mkdirat(FD_SITE, path, 0755))
			fail("make the site: %m");
	}
	printf("]}\n");
	fflush(stdout);
}
