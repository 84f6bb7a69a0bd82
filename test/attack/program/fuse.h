// SPDX-License-Identifier: Apache-2.0
//
// A file system in user space, of which a program answers as much as it likes.

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SILENT = -1000, BLOCK = 4096 };

struct answer {
	struct fuse_out_header header;
	union {
		struct fuse_init_out init;
		struct fuse_entry_out entry;
		struct fuse_attr_out attr;
		struct fuse_open_out open;
		struct fuse_statfs_out statfs;
		char data[BLOCK];
	} body;
};

// answerer returns the length of the body, a negative error, or SILENT for no answer.
typedef int answerer(const struct fuse_in_header *in, struct answer *out);

// answer_any answers what is the same of all, and leaves the rest to others.
static int answer_any(const struct fuse_in_header *in, struct answer *out, answerer *others)
{
	switch (in->opcode) {
	case FUSE_INIT:
		out->body.init.major = FUSE_KERNEL_VERSION;
		out->body.init.minor = 31;
		out->body.init.max_write = out->body.init.max_readahead = BLOCK;
		return sizeof(out->body.init);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return SILENT;
	default:
		return others(in, out);
	}
}

static void serve(int fuse, answerer *others)
{
	static char request[1 << 18] __attribute__((aligned(8)));

	for (;;) {
		struct answer out = { 0 };
		const struct fuse_in_header *in = (const void *)request;
		int length;

		if (read(fuse, request, sizeof(request)) <= 0) {
			if (errno == EINTR || errno == EAGAIN || errno == ENOENT)
				continue;
			_exit(0);
		}
		length = answer_any(in, &out, others);
		if (length == SILENT)
			continue;
		out.header.unique = in->unique;
		out.header.error = length < 0 ? length : 0;
		out.header.len = sizeof(out.header) + (length > 0 ? length : 0);
		if (write(fuse, &out, out.header.len) < 0)
			warn("answer to request %u", in->opcode);
	}
}

// serve_at mounts the file system at a directory by the device, with more options or none,
// and returns the process that serves it, which ends with this one.
static pid_t serve_at(const char *directory, const char *device, const char *more,
		      answerer *others)
{
	char options[128];
	int fuse = open(device, O_RDWR);
	pid_t server;

	if (fuse < 0)
		err(1, "%s", device);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0%s", fuse, more);
	if (mount("attack", directory, "fuse", 0, options))
		err(1, "mount");
	server = fork();
	if (server < 0)
		err(1, "fork");
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(fuse, others);
	}
	close(fuse);
	return server;
}
