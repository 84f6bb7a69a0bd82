/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passes for another program, or makes itself hard to know, as a user without
 * privilege can. It prints "pid N" for the process that does, then "ready", and ends
 * with its standard input. 77 is the exit status where this kernel lacks what a way
 * needs.
 *
 *   forger TRICK TARGET DIR
 *
 * TARGET is the path that it wants to be seen at: a file that any user may execute.
 * DIR is one that it may write to. To pass for it:
 *
 *   setmm       in a user namespace of its own, it names TARGET by prctl(PR_SET_MM)
 *   sharedmm    a child that shares its memory does so, and it stays where it was
 *   bind        in user and mount namespaces of its own, it is mounted over TARGET
 *   namespace   so, and then it changes to yet another user namespace
 *   descriptor  it executes what such a child has mounted over TARGET, from outside
 *   detached    it executes the path TARGET in a mount that is nowhere any more
 *   overlay     TARGET's directory is an overlay with it in TARGET's place
 *   binfmt      it is TARGET's interpreter in a user namespace of its own, is given
 *               TARGET's descriptor by the kernel, and names that
 *
 * To be hard to know:
 *
 *   long, longer  its path has 1200 bytes, or more than any system call takes
 *   deleted       its file, whose name is TARGET's, has been removed
 *   memory        its file is in memory only, and called as TARGET is
 *   script        TARGET's name is that of a script that it is the interpreter of
 *   comm, title   it is called TARGET in comm, or in its arguments, of which it has many
 *   forks, execs  processes come and go, or begin another program, without a pause
 *   leader        its first thread has ended
 *   zombies       it does not wait for its children
 *   vfork         a child shares its memory, for which it waits
 *   stopped       it is stopped in execve(2), by another process
 *   pids, users   it is in a PID namespace, or in user namespaces in each other, of its own
 *   guarded       no other process may look at it
 *   orphan        its parent has ended
 *   adopted       its parent has not made it, but is that one's sibling
 *   environment   of its memory, the parts that ps(1) reads are gone
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LACKING 77

static char self[PATH_MAX];
static const char *target, *dir;

static __attribute__((noreturn)) void die(const char *what)
{
	perror(what);
	_exit(3);
}

static __attribute__((noreturn)) void lack(const char *what)
{
	perror(what);
	_exit(LACKING);
}

static __attribute__((noreturn)) void until_end(void)
{
	char c;

	while (read(0, &c, 1) > 0)
		;
	_exit(0);
}

static __attribute__((noreturn)) void stay_as(int pid)
{
	printf("pid %d\nready\n", pid);
	fflush(stdout);
	until_end();
}

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(file);
	close(fd);
}

static __attribute__((noreturn)) void stay(void) { stay_as(getpid()); }

/* Changes to new namespaces, root in them. */
static void enter(int more)
{
	char text[64];
	int uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWUSER | more))
		lack("unshare");
	put("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %d 1", uid);
	put("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "0 %d 1", gid);
	put("/proc/self/gid_map", text);
}

/* Puts memory without a file in the place of what is mapped of this program. */
static void leave_file(void)
{
	struct {
		unsigned long from, to;
		int prot;
	} areas[32];
	char line[PATH_MAX + 128], rights[8];
	FILE *maps = fopen("/proc/self/maps", "r");
	int n = 0;

	if (!maps)
		die("maps");
	while (n < 32 && fgets(line, sizeof(line), maps)) {
		if (!strstr(line, self) ||
		    sscanf(line, "%lx-%lx %7s", &areas[n].from, &areas[n].to, rights) != 3)
			continue;
		areas[n].prot = (rights[0] == 'r' ? PROT_READ : 0) |
				(rights[1] == 'w' ? PROT_WRITE : 0) |
				(rights[2] == 'x' ? PROT_EXEC : 0);
		n++;
	}
	fclose(maps);
	while (n--) {
		size_t size = areas[n].to - areas[n].from;
		void *copy = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (copy == MAP_FAILED)
			die("mmap");
		memcpy(copy, (void *)areas[n].from, size);
		mprotect(copy, size, areas[n].prot);
		if (mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
			   (void *)areas[n].from) == MAP_FAILED)
			_exit(4);
	}
}

/* Makes an open file this memory's executable; the rest stays as it is. */
static void name_file(int fd)
{
	unsigned long long f[64] = { 0 };
	struct prctl_mm_map map = { 0 };
	char line[2048], *at;
	int stat = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), i;
	ssize_t size;

	size = read(stat, line, sizeof(line) - 1);
	if (size <= 0)
		die("stat");
	line[size] = 0;
	close(stat);
	at = strrchr(line, ')') + 4;
	for (i = 4; i < 53; i++)
		f[i] = strtoull(at, &at, 10);
	map.start_code = f[26];
	map.end_code = f[27];
	map.start_stack = f[28];
	map.start_data = f[45];
	map.end_data = f[46];
	map.start_brk = f[47];
	map.brk = (unsigned long)sbrk(0);
	map.arg_start = f[48];
	map.arg_end = f[49];
	map.env_start = f[50];
	map.env_end = f[51];
	map.exe_fd = fd;
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0))
		die("PR_SET_MM_MAP");
}

static int open_target(void)
{
	int fd = open(target, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(target);
	return fd;
}

static int name_target(void *unused)
{
	(void)unused;
	name_file(open_target());
	return 0;
}

/* Runs f in a child that shares what flags say. */
static int start(int (*f)(void *), int flags)
{
	size_t size = 1 << 20;
	char *stack = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pid = clone(f, stack + size, flags | SIGCHLD, 0);

	if (pid < 0)
		lack("clone");
	return pid;
}

/* Lets a child that shares this memory name the target. */
static void let_name(void)
{
	int status, pid = start(name_target, CLONE_VM | CLONE_NEWUSER);

	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		die("wait for a child");
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
}

static void execute(const char *file)
{
	execl(file, file, "stay", (char *)0);
	die(file);
}

static void copy_self(const char *to)
{
	char buf[65536];
	int from = open(self, O_RDONLY | O_CLOEXEC), fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ssize_t n;

	if (from < 0 || fd < 0)
		die(to);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(fd, buf, n) != n)
			die(to);
	close(from);
	close(fd);
}

static __attribute__((noreturn)) void remain(void)
{
	for (;;)
		pause();
}

/* What a child that shares memory and descriptors opens. */
static volatile int given = -1;

/* The mount is there as long as the child is. */
static int bind_and_give(void *unused)
{
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter(CLONE_NEWNS);
	if (mount(self, target, 0, MS_BIND, 0))
		die("bind");
	given = open(target, O_PATH);
	remain();
}

static int detach_and_give(void *unused)
{
	char path[2 * PATH_MAX], *slash;
	int fd;

	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter(CLONE_NEWNS);
	if (mount("none", dir, "tmpfs", 0, "mode=755"))
		die("tmpfs");
	snprintf(path, sizeof(path), "%s%s", dir, target);
	for (slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
	copy_self(path);
	fd = open(path, O_PATH);
	if (fd < 0 || umount2(dir, MNT_DETACH))
		die("umount");
	given = fd;
	remain();
}

/* Executes what a child gives. */
static void execute_given(int (*f)(void *))
{
	char *argv[] = { "forger", "stay", 0 }, *envp[] = { 0 };
	int pid = start(f, CLONE_VM | CLONE_FILES), status;

	while (given < 0) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 5);
		usleep(1000);
	}
	fexecve(given, argv, envp);
	die("fexecve");
}

static void overlay(void)
{
	char upper[PATH_MAX], work[PATH_MAX], file[2 * PATH_MAX], text[PATH_MAX * 4];
	char *base = strdup(target), *parent = dirname(strdup(target));

	snprintf(upper, sizeof(upper), "%s/upper", dir);
	snprintf(work, sizeof(work), "%s/work", dir);
	mkdir(upper, 0755);
	mkdir(work, 0755);
	snprintf(file, sizeof(file), "%s/%s", upper, basename(base));
	copy_self(file);
	enter(CLONE_NEWNS);
	snprintf(text, sizeof(text), "userxattr,lowerdir=%s,upperdir=%s,workdir=%s", parent, upper, work);
	if (mount("none", parent, "overlay", 0, text))
		lack("overlay");
	execute(target);
}

static void binfmt(void)
{
	char text[PATH_MAX + 64];
	int fd;

	enter(CLONE_NEWNS);
	if (mount("none", dir, "binfmt_misc", 0, 0))
		lack("binfmt_misc");
	snprintf(text, sizeof(text), "%s/register", dir);
	fd = open(text, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		die(text);
	/* Of programs at no fixed address (ET_DYN), which this one is not. */
	snprintf(text, sizeof(text), ":forger:M:16:\\x03\\x00::%s:OF", self);
	if (write(fd, text, strlen(text)) < 0)
		die("register");
	close(fd);
	execl(target, target, (char *)0);
	die(target);
}

/* Goes down in DIR until the path of what it copies there has so many bytes. */
static void go_long(size_t size)
{
	char name[201];
	size_t at = strlen(dir);

	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	if (chdir(dir))
		die(dir);
	for (; at < size; at += sizeof(name))
		if (mkdir(name, 0755) || chdir(name))
			die(name);
	copy_self("forger");
	execute("./forger");
}

static void run_copy(const char *name, int removed)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	copy_self(path);
	if (!removed)
		execute(path);
	if (fork() == 0) {
		usleep(200000);
		unlink(path);
		_exit(0);
	}
	execute(path);
}

static void run_memory(const char *name)
{
	char buf[65536], *argv[] = { "forger", "stay", 0 }, *envp[] = { 0 };
	int from = open(self, O_RDONLY | O_CLOEXEC), fd = memfd_create(name, MFD_CLOEXEC);
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(fd, buf, n) != n)
			die("memfd");
	fexecve(fd, argv, envp);
	die("fexecve");
}

static void run_script(const char *name)
{
	char path[PATH_MAX], text[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(text, sizeof(text), "#!%s stay-script\n", self);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
	execute(path);
}

/* Keeps children at something until this process ends. */
static void keep(void (*f)(void))
{
	int i;

	for (i = 0; i < 4; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGCHLD, SIG_IGN);
		for (;;)
			f();
	}
	stay();
}

static void one_fork(void)
{
	int pid = vfork();

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		usleep(1000);
}

static void one_exec(void)
{
	execl(self, self, "exec-on", (char *)0);
	die(self);
}

static void *thread(void *unused)
{
	(void)unused;
	usleep(100000); /* the first one has ended */
	stay();
}

static void nested_users(void)
{
	int i;

	for (i = 0; i < 30; i++)
		enter(0);
	stay();
}

static int stay_apart(void *unused)
{
	(void)unused;
	stay();
}

static void stopped_in_exec(void)
{
	int pid = fork(), status;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execute(self);
	}
	if (waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXEC) ||
	    ptrace(PTRACE_CONT, pid, 0, 0) || waitpid(pid, &status, 0) != pid)
		die("ptrace");
	stay();
}

static void hide(const char *trick)
{
	const char *name = basename(strdup(target));
	pthread_t t;
	int i;

	if (!strcmp(trick, "long")) {
		go_long(1000);
	} else if (!strcmp(trick, "longer")) {
		go_long(4200);
	} else if (!strcmp(trick, "deleted")) {
		run_copy(name, 1);
	} else if (!strcmp(trick, "memory")) {
		run_memory(name);
	} else if (!strcmp(trick, "script")) {
		run_script(name);
	} else if (!strcmp(trick, "comm")) {
		prctl(PR_SET_NAME, name);
		stay();
	} else if (!strcmp(trick, "title")) {
		char *argv[1002] = { 0 };

		for (i = 0; i < 1001; i++)
			argv[i] = i == 1 ? "stay" : (char *)target;
		execv(self, argv);
		die(self);
	} else if (!strcmp(trick, "forks")) {
		keep(one_fork);
	} else if (!strcmp(trick, "execs")) {
		keep(one_exec);
	} else if (!strcmp(trick, "leader")) {
		if (pthread_create(&t, 0, thread, 0))
			die("pthread_create");
		pthread_exit(0);
	} else if (!strcmp(trick, "zombies")) {
		for (i = 0; i < 200; i++)
			if (fork() == 0)
				_exit(0);
		stay();
	} else if (!strcmp(trick, "vfork")) {
		if (vfork() == 0)
			stay();
		_exit(0);
	} else if (!strcmp(trick, "stopped")) {
		stopped_in_exec();
	} else if (!strcmp(trick, "pids")) {
		enter(CLONE_NEWPID);
		i = fork();
		if (i == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			remain();
		}
		stay_as(i);
	} else if (!strcmp(trick, "users")) {
		nested_users();
	} else if (!strcmp(trick, "guarded")) {
		prctl(PR_SET_DUMPABLE, 0);
		stay();
	} else if (!strcmp(trick, "orphan")) {
		if (fork() == 0) {
			usleep(100000); /* the parent has ended */
			stay();
		}
		_exit(0);
	} else if (!strcmp(trick, "adopted")) {
		start(stay_apart, CLONE_PARENT);
		until_end();
	} else if (!strcmp(trick, "environment")) {
		leave_file();
		munmap((void *)((unsigned long)environ[0] & ~4095UL), 4096);
		stay();
	}
}

int main(int argc, char **argv)
{
	unsigned long execfd = getauxval(AT_EXECFD);
	ssize_t n;

	if (argc > 1 && !strncmp(argv[1], "stay", 4))
		stay();
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		die("exe");
	self[n] = 0;
	if (errno = 0, getauxval(AT_EXECFD), !errno && execfd) {
		leave_file();
		name_file(execfd);
		stay();
	}
	if (argc == 2 && !strcmp(argv[1], "exec-on"))
		one_exec();
	if (argc != 4) {
		fprintf(stderr, "usage: forger TRICK TARGET DIR\n");
		return 2;
	}
	target = argv[2];
	dir = argv[3];
	if (!strcmp(argv[1], "setmm")) {
		int fd = open_target();

		enter(0);
		leave_file();
		name_file(fd);
		stay();
	} else if (!strcmp(argv[1], "sharedmm")) {
		leave_file();
		let_name();
		stay();
	} else if (!strcmp(argv[1], "bind")) {
		enter(CLONE_NEWNS);
		if (mount(self, target, 0, MS_BIND, 0))
			die("bind");
		execute(target);
	} else if (!strcmp(argv[1], "namespace")) {
		enter(CLONE_NEWNS);
		if (mount(self, target, 0, MS_BIND, 0))
			die("bind");
		if (unshare(CLONE_NEWUSER))
			lack("unshare");
		execute(target);
	} else if (!strcmp(argv[1], "descriptor")) {
		execute_given(bind_and_give);
	} else if (!strcmp(argv[1], "detached")) {
		execute_given(detach_and_give);
	} else if (!strcmp(argv[1], "overlay")) {
		overlay();
	} else if (!strcmp(argv[1], "binfmt")) {
		binfmt();
	} else {
		hide(argv[1]);
	}
	fprintf(stderr, "no such trick: %s\n", argv[1]);
	return 2;
}
