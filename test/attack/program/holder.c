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
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOT = 1, FILE_INODE = 2, SIZE = 4096 };

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
	struct fuse_attr a = { .ino = inode, .nlink = 1, .blksize = SIZE };

	a.mode = inode == ROOT ? S_IFDIR | 0755 : S_IFREG | 0644;
	a.size = inode == ROOT ? 0 : SIZE;
	return a;
}

struct answer {
	struct fuse_out_header header;
	union {
		struct fuse_init_out init;
		struct fuse_entry_out entry;
		struct fuse_attr_out attr;
		struct fuse_open_out open;
		char data[SIZE];
	} body;
};

// answer returns the length of the body, or a negative error; -1000 for no answer.
static int answer(const struct fuse_in_header *in, struct answer *out, int *opens, int ready)
{
	switch (in->opcode) {
	case FUSE_INIT:
		out->body.init.major = FUSE_KERNEL_VERSION;
		out->body.init.minor = 31;
		out->body.init.max_write = out->body.init.max_readahead = SIZE;
		return sizeof(out->body.init);
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
		out->body.open.open_flags = FOPEN_KEEP_CACHE | ((*opens)++ ? FOPEN_DIRECT_IO : 0);
		return sizeof(out->body.open);
	case FUSE_READ:
		return SIZE;
	case FUSE_WRITE:
		if (write(ready, "", 1) < 0)
			err(1, "write");
		return -1000;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return -1000;
	default:
		return -ENOSYS;
	}
}

// serve is the file system. It writes to ready when it was asked to write.
static void serve(int fuse, int ready)
{
	static char request[1 << 18] __attribute__((aligned(8)));
	int opens = 0;

	for (;;) {
		struct answer out = { 0 };
		const struct fuse_in_header *in = (const void *)request;
		int length;

		if (read(fuse, request, sizeof(request)) <= 0) {
			if (errno == EINTR || errno == EAGAIN || errno == ENOENT)
				continue;
			_exit(0);
		}
		length = answer(in, &out, &opens, ready);
		if (length == -1000)
			continue;
		out.header.unique = in->unique;
		out.header.error = length < 0 ? length : 0;
		out.header.len = sizeof(out.header) + (length > 0 ? length : 0);
		if (write(fuse, &out, out.header.len) < 0)
			warn("answer to request %u", in->opcode);
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
	cached = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, first, 0);
	if (cached == MAP_FAILED)
		err(1, "mmap");
	cached[0] = 1;
	second = open(path, O_RDWR);
	if (second < 0)
		err(1, "%s", path);
	mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, second, 0);
	_exit(1);
}

int main(int argc, char **argv)
{
	char options[128], end;
	int fuse, ready[2];
	pid_t server, held;

	if (argc != 3)
		errx(2, "usage: holder FUSE DIRECTORY");
	enter();
	fuse = open(argv[1], O_RDWR);
	if (fuse < 0)
		err(1, "%s", argv[1]);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (mount("holder", argv[2], "fuse", 0, options))
		err(1, "mount");
	if (pipe(ready))
		err(1, "pipe");
	server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fuse, ready[1]);
	}
	held = fork();
	if (held == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fuse);
		hold(argv[2]);
	}
	close(fuse);
	close(ready[1]);
	if (server < 0 || held < 0 || read(ready[0], &end, 1) != 1)
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
