// SPDX-License-Identifier: Apache-2.0

// pastit enters a domain that handles every right to files and to TCP ports, and has
// no rules. It writes by which ways it does all the same what the rights are about,
// a line for each, "ready", and waits until its standard input ends:
//
//	pastit ports       net.connect_tcp and net.bind_tcp, and the ways past them
//	pastit ring FILE   fs.read_file, and io_uring made before with a thread of its own
//	pastit noring FILE the same, but made after
//	pastit every PORT  net.bind_tcp with a rule on every port from PORT on
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

enum {
	SYS_ring_setup = 425, SYS_ring_enter = 426,
	SYS_new_ruleset = 444, SYS_add_rule = 445, SYS_restrict = 446,
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* restrict_from grants to bind TCP ports from the first one on: 65536 for none. */
static void restrict_from(uint64_t first)
{
	struct { uint64_t fs, net; } handled = { 0x1fff, 3 };
	int fd = syscall(SYS_new_ruleset, &handled, sizeof(handled), 0);

	if (fd < 0)
		die("landlock_create_ruleset");
	for (uint64_t port = first; port < 65536; port++) {
		struct { uint64_t allowed, port; } rule = { 1, port };

		if (syscall(SYS_add_rule, fd, 2, &rule, 0))
			die("landlock_add_rule");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_restrict, fd, 0))
		die("landlock_restrict_self");
	close(fd);
}

static void restrict_self(void)
{
	restrict_from(65536);
}

static void say(const char *right, const char *way, int done)
{
	printf("%s %s %s\n", right, way, done ? "yes" : "no");
}

static struct sockaddr_in local(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = port };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int stream(int protocol)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);
}

static int connects(int protocol, int port)
{
	struct sockaddr_in a = local(port);
	int fd = stream(protocol);

	return fd >= 0 && !connect(fd, (void *)&a, sizeof(a));
}

static int binds(int protocol)
{
	struct sockaddr_in a = local(0);
	int fd = stream(protocol);

	return fd >= 0 && !bind(fd, (void *)&a, sizeof(a));
}

static void ports(void)
{
	struct sockaddr_in a = local(0);
	socklen_t size = sizeof(a);
	int server = stream(0);

	if (server < 0 || bind(server, (void *)&a, sizeof(a)) || listen(server, 8) ||
	    getsockname(server, (void *)&a, &size))
		die("listen");
	restrict_self();
	say("net.connect_tcp", "-", connects(0, a.sin_port));
	say("net.connect_tcp", "mptcp", connects(IPPROTO_MPTCP, a.sin_port));
	say("net.connect_tcp", "tcp_fast_open",
	    sendto(stream(0), "x", 1, MSG_FASTOPEN, (void *)&a, sizeof(a)) == 1);
	say("net.bind_tcp", "-", binds(0));
	say("net.bind_tcp", "mptcp", binds(IPPROTO_MPTCP));
	say("net.bind_tcp", "listen", !listen(stream(0), 1));
}

static void every(int first)
{
	struct sockaddr_in a = local(0);
	socklen_t size = sizeof(a);
	int fd = stream(0);

	/* A port that is free, but for others. */
	if (fd < 0 || bind(fd, (void *)&a, sizeof(a)) || getsockname(fd, (void *)&a, &size))
		die("bind");
	close(fd);
	restrict_from(first);
	fd = stream(0);
	say("net.bind_tcp", "port", !bind(fd, (void *)&a, sizeof(a)) || errno != EACCES);
	say("net.bind_tcp", "0", binds(0));
}

/* open_by_ring opens a file by a ring: as its thread, which the kernel made, may. */
static int open_by_ring(int ring, struct io_uring_params *p, const char *file)
{
	const int rw = PROT_READ | PROT_WRITE;
	size_t sqs = p->sq_off.array + p->sq_entries * sizeof(unsigned);
	size_t cqs = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	size_t sqes = p->sq_entries * sizeof(struct io_uring_sqe);
	char *sq = mmap(0, sqs, rw, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	char *cq = mmap(0, cqs, rw, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	struct io_uring_sqe *sqe = mmap(0, sqes, rw, MAP_SHARED, ring, IORING_OFF_SQES);
	const unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP;

	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		die("mmap of io_uring");
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_OPENAT;
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)file;
	sqe->open_flags = O_RDONLY;
	*(unsigned *)(sq + p->sq_off.array) = 0;
	__atomic_store_n((unsigned *)(sq + p->sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_ring_enter, ring, 1, 1, flags, 0, 0) < 0)
		die("io_uring_enter");
	return ((struct io_uring_cqe *)(cq + p->cq_off.cqes))->res >= 0;
}

static void ring(const char *file, int before)
{
	struct io_uring_params p = { .flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 100 };
	int fd;

	if (!before)
		restrict_self();
	fd = syscall(SYS_ring_setup, 8, &p);
	if (fd < 0)
		die("io_uring_setup");
	if (before)
		restrict_self();
	say("fs.read_file", "-", open(file, O_RDONLY) >= 0);
	say("fs.read_file", "io_uring", open_by_ring(fd, &p, file));
}

int main(int argc, char **argv)
{
	char c;

	if (argc == 2 && !strcmp(argv[1], "ports"))
		ports();
	else if (argc == 3 && !strcmp(argv[1], "every"))
		every(atoi(argv[2]));
	else if (argc == 3)
		ring(argv[2], !strcmp(argv[1], "ring"));
	else
		return 2;
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
