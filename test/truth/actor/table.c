// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"

struct table *table;

void table_create(void)
{
	// No folder is needed, and nothing is left behind.
	int fd = syscall(SYS_memfd_create, "truth", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*table)) || dup2(fd, FD_TABLE) < 0) {
		perror("shared table");
		_exit(1);
	}
	close(fd);
	table_attach();
}

void table_attach(void)
{
	void *p = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED, FD_TABLE, 0);

	if (p == MAP_FAILED) {
		perror("map the shared table");
		_exit(1);
	}
	table = p;
}

uint64_t table_take(uint64_t *counter, uint64_t limit)
{
	uint64_t n = __atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);

	if (n >= limit)
		die("the shared table is full");
	return n;
}

void table_count(enum op_kind op)
{
	__atomic_fetch_add(&table->ops[op], 1, __ATOMIC_SEQ_CST);
}

// The first text wins; two at once may mix, and are still a failure.
static void vfail(const char *fmt, va_list ap)
{
	char text[sizeof(table->failed)];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (!table) {
		fprintf(stderr, "actor: %s\n", text);
		return;
	}
	if (!table->failed[0])
		memcpy(table->failed, text, sizeof(text));
	futex_wake(&table->acting);
	futex_wake(&table->reported);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(fmt, ap);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfail(fmt, ap);
	va_end(ap);
	// Nobody is left then to print it.
	if (table && table->coordinator == getpid())
		fprintf(stderr, "actor: %s\n", table->failed);
	_exit(1);
}
