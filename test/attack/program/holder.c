// SPDX-License-Identifier: Apache-2.0
//
// holder FUSE DIRECTORY
//
// Makes a process whose command line nobody can read: it holds the lock of its own memory
// for as long as this program runs. It maps a file of a file system in user space, whose
// cached page has been written to: mmap(2) writes that back first, with the lock held,
// and the file system, which is this program, never answers.
//
// FUSE is the device, /dev/fuse on most hosts. The file system is mounted at DIRECTORY, in
// a user namespace of its own: that takes no privilege.
// Prints "held PID" and "ready" once the lock is held, and ends when its standard input does.

#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fuse.h"

enum { ROOT = 1, FILE_INODE = 2 };

// How often the file was opened, and the pipe by which the file system says that it was asked
// to write.
static int opens, asked;

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

// enter makes a user and a mount namespace, in which this user is root.
static void enter(void)
{
	char map[64];
	unsigned int user = getuid(), group = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		err(1, "unshare");
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", user);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", group);
	put("/proc/self/gid_map", map);
}

static struct fuse_attr attributes(uint64_t inode)
{
	struct fuse_attr a = { .ino = inode, .nlink = 1, .blksize = BLOCK };

	a.mode = inode == ROOT ? S_IFDIR | 0755 : S_IFREG | 0644;
	a.size = inode == ROOT ? 0 : BLOCK;
	return a;
}

static int answer(const struct fuse_in_header *in, struct answer *out)
{
	switch (in->opcode) {
	case FUSE_LOOKUP:
		out->body.entry.nodeid = FILE_INODE;
		out->body.entry.attr_valid = out->body.entry.entry_valid = 3600;
		out->body.entry.attr = attributes(FILE_INODE);
		return sizeof(out->body.entry);
	case FUSE_GETATTR:
		out->body.attr.attr_valid = 3600;
		out->body.attr.attr = attributes(in->nodeid);
		return sizeof(out->body.attr);
	case FUSE_OPEN:
		// The first one has a cached page; to map the second one, which goes past
		// the cache, that page is written back.
		out->body.open.open_flags = FOPEN_KEEP_CACHE | (opens++ ? FOPEN_DIRECT_IO : 0);
		return sizeof(out->body.open);
	case FUSE_READ:
		return BLOCK;
	case FUSE_WRITE:
		if (write(asked, "", 1) < 0)
			err(1, "write");
		return SILENT;
	default:
		return -ENOSYS;
	}
}

// hold has a thread hold the lock of its memory.
static void hold(const char *directory)
{
	char path[4096];
	char *cached;
	int first, second;

	snprintf(path, sizeof(path), "%s/file", directory);
	first = open(path, O_RDWR);
	if (first < 0)
		err(1, "%s", path);
	cached = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, first, 0);
	if (cached == MAP_FAILED)
		err(1, "mmap");
	cached[0] = 1;
	second = open(path, O_RDWR);
	if (second < 0)
		err(1, "%s", path);
	mmap(NULL, BLOCK, PROT_READ, MAP_PRIVATE, second, 0);
	_exit(1);
}

int main(int argc, char **argv)
{
	char end;
	int ready[2];
	pid_t server, held;

	if (argc != 3)
		errx(2, "usage: holder FUSE DIRECTORY");
	enter();
	if (pipe(ready))
		err(1, "pipe");
	asked = ready[1];
	server = serve_at(argv[2], argv[1], "", answer);
	held = fork();
	if (held == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		hold(argv[2]);
	}
	close(ready[1]);
	if (held < 0 || read(ready[0], &end, 1) != 1)
		errx(1, "the file system was never asked to write");
	printf("held %d\nready\n", held);
	fflush(stdout);
	while (read(0, &end, 1) > 0)
		;
	kill(server, SIGKILL); // then the kernel answers in its place
	kill(held, SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
