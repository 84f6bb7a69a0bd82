// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "ring.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"

// The number is the same on every architecture.
#define NR_IO_URING_SETUP 425
#define SETUP_SQPOLL 2

// struct io_uring_params, of which only two members matter here.
struct params {
	uint32_t entries[2], flags, cpu, idle_ms, rest[25];
};

int ring_setup(void)
{
	// It busily polls until it is idle for as long.
	struct params p = {.flags = SETUP_SQPOLL, .idle_ms = 1};

	return syscall(NR_IO_URING_SETUP, 4, &p);
}

int ring_works(void)
{
	int fd = ring_setup();

	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

void ring_make(struct proc *p, const struct task *t)
{
	struct ring *r = &p->ring[p->nrings];

	if (p->nrings == MAX_RINGS)
		return;
	memset(r, 0, sizeof(*r));
	r->born_from = boottime_ns();
	r->fd = ring_setup();
	if (r->fd < 0)
		return;
	r->born_to = boottime_ns();
	r->depth = t->depth;
	memcpy(r->layers, t->layers, sizeof(r->layers));
	p->nrings++;
	table_count(OP_ring);
	if (t->depth)
		table_count(OP_ring_after_restrict);
}

int ring_find(struct proc *p, int tid)
{
	for (int i = 0; i < p->nrings; i++) {
		char path[64], text[1024], *at;
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/task/%d/fdinfo/%d", p->tgid, tid, p->ring[i].fd);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return 0;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n < 0 ? 0 : n] = 0;
		at = strstr(text, "SqThread:");
		// It is -1 while the ring is in use, and whoever made the ring until the
		// worker has run for the first time.
		p->ring[i].tid = at ? atoi(at + strlen("SqThread:")) : 0;
		if (!task_is_worker(p->tgid, p->ring[i].tid))
			return 0;
	}
	return 1;
}
