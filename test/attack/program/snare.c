// SPDX-License-Identifier: Apache-2.0
//
// snare WAY FUSE DIRECTORY
//
// Makes a sandboxed process of which a look at its files never ends: somewhere below its
// root directory is a file system in user space, which is this program, and which does not
// answer once all is in place. A look for the path of a directory that has been removed,
// which its sandbox has a rule on, comes past everything. The WAYs:
//
//   link     /usr is a symbolic link into that file system
//   root     the root directory is a directory in it
//   overlay  /merged is of the kernel's own overlay file system, and what is in that is there
//   socket   another process listens at a path that leads there by now
//
// FUSE is the device, /dev/fuse on most hosts. All is mounted below DIRECTORY, in a mount
// namespace of its own: that is what root in a privileged container may do.
// Prints "ready", and in the next line the PID of the process. Ends when its standard input
// does.

#define _GNU_SOURCE
#include <linux/landlock.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "fuse.h"

static atomic_int *silent; // shared with the file system

static struct fuse_attr directory(uint64_t inode)
{
	struct fuse_attr a = { .ino = inode, .nlink = 2, .blksize = BLOCK, .mode = S_IFDIR | 0755 };

	return a;
}

// answer is for directories in which each name is that of another directory.
static int answer(const struct fuse_in_header *in, struct answer *out)
{
	if (*silent)
		return SILENT;
	switch (in->opcode) {
	case FUSE_LOOKUP:
		out->body.entry.nodeid = in->nodeid + 1;
		out->body.entry.attr = directory(in->nodeid + 1);
		return sizeof(out->body.entry);
	case FUSE_GETATTR:
		out->body.attr.attr = directory(in->nodeid);
		return sizeof(out->body.attr);
	case FUSE_STATFS:
		out->body.statfs.st.namelen = 255;
		return sizeof(out->body.statfs);
	default:
		return -ENOSYS;
	}
}

// begin starts a process that does something and then stays as long as this one.
static pid_t begin(void (*work)(const char *), const char *argument)
{
	int ready[2];
	char byte;
	pid_t child;

	if (pipe(ready))
		err(1, "pipe");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(argument);
		if (write(ready[1], "", 1) != 1)
			err(1, "write");
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		errx(1, "a process did not start");
	close(ready[0]);
	return child;
}

static void enter(const char *root)
{
	if (chroot(root) || chdir("/"))
		err(1, "chroot to %s", root);
}

static void listener(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	enter(".");
	strcpy(name.sun_path, path);
	if (s < 0 || bind(s, (void *)&name, sizeof(name)) || listen(s, 1))
		err(1, "listen at %s", path);
}

// sandboxed has a rule on a directory that is gone.
static void sandboxed(const char *root)
{
	struct landlock_ruleset_attr handled = { .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE };
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE };
	int rules = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);

	rule.parent_fd = open("gone", O_PATH | O_DIRECTORY);
	if (rules < 0 || rule.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		err(1, "make the ruleset");
	if (rmdir("gone"))
		err(1, "rmdir");
	enter(root);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, rules, 0))
		err(1, "enter the sandbox");
}

static void directories(const char *one, const char *other, const char *third)
{
	if (mkdir(one, 0755) || mkdir(other, 0755) || mkdir(third, 0755))
		err(1, "mkdir");
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "", *root = ".";
	char end;
	pid_t child, server;

	if (argc != 4)
		errx(2, "usage: snare WAY FUSE DIRECTORY");
	silent = mmap(NULL, sizeof(*silent), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (silent == MAP_FAILED)
		err(1, "mmap");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("snare", argv[3], "tmpfs", 0, NULL) || chdir(argv[3]))
		err(1, "mount at %s", argv[3]);
	directories("fuse", "gone", "merged");
	if (!strcmp(way, "socket"))
		begin(listener, "/fuse/listens");
	server = serve_at("fuse", argv[2], ",allow_other", answer);
	if (!strcmp(way, "link") && symlink("/fuse", "usr"))
		err(1, "symlink");
	if (!strcmp(way, "root"))
		root = "fuse/below";
	if (!strcmp(way, "overlay") &&
	    (mkdir("lower", 0755) || mount("snare", "merged", "overlay", 0, "lowerdir=fuse:lower")))
		err(1, "mount the overlay");
	child = begin(sandboxed, root);
	*silent = 1;
	printf("ready\n%d\n", child);
	fflush(stdout);
	while (read(0, &end, 1) > 0)
		;
	kill(server, SIGKILL); // then the kernel answers in its place
	return 0;
}
