// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steps.h"
#include "sys.h"
#include "table.h"

// DEEP is deeper than a look at a fixed number of directories would go, if that
// were a small one.
#define DEEP 44

static void file(const char *name, mode_t mode, const char *text)
{
	int fd = openat(FD_SITE, name, O_CREAT | O_WRONLY | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail("make %s: %m", name);
	close(fd);
}

// directory makes a directory that everybody may write to, and with files what is
// tried in a root: other names of the same two, since rules are on directories.
static void directory(const char *path, int files)
{
	int fd;

	if (mkdirat(FD_SITE, path, 0777))
		fail("make %s: %m", path);
	if (!files)
		return;
	fd = site_open(path);
	if (linkat(FD_SITE, SITE_FILE, fd, SITE_FILE, 0) ||
	    linkat(FD_SITE, SITE_PROGRAM, fd, SITE_PROGRAM, 0))
		fail("link the files of %s: %m", path);
	close(fd);
}

static void slot(unsigned n)
{
	static const struct {
		const char *name;
		int files;
	} parts[] = {{"", 1}, {"/a", 1}, {"/a/b", 1}, {"/a/b/c", 1}, {"/z", 0}, {"/m", 0}, {"/n", 0}};
	char path[64];

	for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		snprintf(path, sizeof(path), "slots/%u%s", n, parts[i].name);
		directory(path, parts[i].files);
	}
}

void site_make(const char *path, uint32_t slots)
{
	mode_t mask = umask(0);
	char deep[128] = "deep";

	open_at(FD_SITE, path);
	open_at(FD_TOP, "/");
	snprintf(table->site, sizeof(table->site), "%s", path);
	file(SITE_FILE, 0666, "");
	file(SITE_PROGRAM, 0777, "no program\n");
	directory("free", 1);
	directory("slots", 0);
	for (table->slots = 0; table->slots < slots; table->slots++)
		slot(table->slots);
	directory(deep, 0);
	for (int i = 1; i <= DEEP; i++) {
		strcat(deep, "/d");
		directory(deep, i == DEEP);
	}
	umask(mask);
}

int site_rooted(void)
{
	struct stat st;

	// Landlock keeps nobody from asking.
	return stat("/" SITE_FILE, &st) == 0;
}

void site_level(char *buf, size_t n, int level)
{
	const char *a = self->a_moved ? "/z/a" : "/a";

	switch (level) {
	case SITE_SLOT:
		snprintf(buf, n, "slots/%d", self->slot);
		break;
	case SITE_A:
		snprintf(buf, n, "slots/%d%s", self->slot, a);
		break;
	default:
		snprintf(buf, n, "slots/%d%s%s%s", self->slot, self->b_moved ? "" : a,
			 self->b_moved ? "/r" : "/b", level == SITE_C ? "/c" : "");
		break;
	}
}

void site_deep(char *buf, size_t n)
{
	snprintf(buf, n, "deep");
	for (int i = 0; i < DEEP; i++)
		strcat(buf, "/d");
}

int site_open(const char *path)
{
	int fd = openat(FD_SITE, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		die("open %s of the site: %m", path);
	return fd;
}
