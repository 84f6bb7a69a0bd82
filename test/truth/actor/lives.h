// SPDX-License-Identifier: Apache-2.0

// The file that churning processes and the harness share. churn_lives.go has
// the same layout; both check the magic number and the sizes.
#ifndef LIVES_H
#define LIVES_H

#include <stdint.h>

#define LIVES_MAGIC 0x6c69766573303031ULL
#define LIVES 16384
#define PHASES 24
#define FAMILIES 3 // always, never, mixed

// The states a process can be in during a phase; bits numbered as scan.State.
enum {
	CAN_UNSANDBOXED = 1 << 1,
	CAN_PARTIAL = 1 << 2,
	CAN_SANDBOXED = 1 << 3,
};

// A phase begins between before and after (0: not over yet), CLOCK_BOOTTIME,
// and ends when the next one begins.
struct phase {
	uint64_t before, after;
	uint64_t can;
};

// A life is one process from clone to exit, whatever it executes in between.
struct life {
	// Even when the record may be read; changes with each new use.
	uint64_t generation;
	uint64_t pid;
	uint64_t born_from, born_to;
	uint64_t nphases;
	struct phase phase[PHASES];
	// Of no interest to the harness: the rest of the plan.
	uint64_t rng;
	int32_t steps, family;
};

struct lives {
	uint64_t magic, life_size, count;
	uint64_t next;
	// What has happened so far.
	uint64_t processes, execs, thread_execs, vforks, threads, thread_exits, leader_exits,
		restricts, transitions, clone_parents;
	// The first ones are the families' managers', which live on.
	struct life life[LIVES];
};

extern struct lives *lives;

void lives_attach(void);

// life_new prepares the record of a child to be cloned, life_manager that of a
// family's manager.
struct life *life_new(int family, uint64_t rng, uint64_t can);
struct life *life_manager(int family, uint64_t rng, uint64_t can);
// life_is says which pid it became; parent and child both do, since the harness
// may look before the other one has run.
void life_is(struct life *l, uint64_t generation, uint64_t pid);

// life_token names this use of a record across an exec.
uint64_t life_token(const struct life *l);
struct life *life_of(uint64_t token);

// The following are for the process itself. They end it if its record has
// meanwhile become another's, so that nothing false is ever written.

// life_change says that the state changes from now on; life_changed, that the
// change is complete.
void life_change(struct life *l, uint64_t can);
void life_changed(struct life *l);
uint64_t life_can(const struct life *l);

#endif
