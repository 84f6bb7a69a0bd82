// SPDX-License-Identifier: Apache-2.0

// What the processes of runs share: how each life goes on, and how each stretch of one
// ended. Whoever ends writes the record first.
#ifndef ENDS_H
#define ENDS_H

#include <stdint.h>
#include <sys/types.h>

#include "landlock.h"

#define MAX_GROUPS 8
#define MAX_LIVES 32768
#define MAX_ENDS 65536
#define MAX_ANSWERS 8

// RUN_OPS are the kinds of operation. The test demands that each occurs, where this
// kernel and this user can do it.
#define RUN_OPS(X)                                                                                \
	X(fork)                                                                                   \
	X(clone_parent)                                                                           \
	X(clone_into_cgroup)                                                                      \
	X(clone_shared_memory)                                                                    \
	X(clone_shared_handlers)                                                                  \
	X(vfork_exec)                                                                             \
	X(vfork_exit)                                                                             \
	X(thread)                                                                                 \
	X(thread_exit)                                                                            \
	X(leader_exit)                                                                            \
	X(restrict)                                                                               \
	X(restrict_beside_threads)                                                                \
	X(restrict_beside_exit)                                                                   \
	X(exec)                                                                                   \
	X(exec_with_threads)                                                                      \
	X(exec_from_thread)                                                                       \
	X(exec_after_leader_exit)                                                                 \
	X(exec_setuid)                                                                            \
	X(exec_fails)                                                                             \
	X(exec_fails_late)                                                                        \
	X(exec_fails_late_with_threads)                                                           \
	X(setresuid)                                                                              \
	X(cgroup)                                                                                 \
	X(cgroup_after_leader_exit)                                                               \
	X(ring)                                                                                   \
	X(exit)                                                                                   \
	X(exit_with_threads)                                                                      \
	X(exit_partial)                                                                           \
	X(exit_singly)                                                                            \
	X(exit_singly_with_ring)                                                                  \
	X(exit_stampede)                                                                          \
	X(exit_together)                                                                          \
	X(exit_beside_exit)                                                                       \
	X(killed)                                                                                 \
	X(dumped)                                                                                 \
	X(init_dies)                                                                              \
	X(killed_by_init)                                                                         \
	X(long_life)                                                                              \
	X(quick)

enum run_op {
#define X(name) RUN_##name,
	RUN_OPS(X)
#undef X
	RUN_OP_COUNT
};

// The executables: the actor's links, then the setuid copy and the broken program.
enum { EXE_LINKS = 4, EXE_ACTOR = EXE_LINKS, EXE_SETUID, EXE_BROKEN, EXES };
extern const char *const exe_names[EXES];

// As scan.State.
enum { SAYS_UNKNOWN, SAYS_UNSANDBOXED, SAYS_PARTIAL, SAYS_SANDBOXED };

struct answer {
	uint8_t state, depth;
	uint16_t exe;
	uint32_t uid;
	struct ll_mask handled;
};

enum end_kind { END_RUN, END_LAUNCH };

struct end {
	// The process began, and the stretch ended, between two instants each,
	// CLOCK_BOOTTIME; 0: not known.
	uint64_t born_from, born_to, at_from, at_to;
	int32_t pid; // 0 in a PID namespace of its own
	int16_t group;
	uint8_t kind, answers;
	// One of these is true; which one, a race decides.
	struct answer can[MAX_ANSWERS];
};

// A life is what has to outlive an exec.
struct life_of_run {
	uint64_t born_from, born_to, rng;
	int32_t steps, group, pid;
	// Its last thread leaves a worker behind, which lives until it is killed.
	int32_t last_tid;
	uint32_t uid, launch; // the end of the last stretch, behind an exec
	uint16_t exe;
	uint8_t depth, ring, inner; // inner: in a PID namespace of its own
	struct ll_mask handled;
};

struct ends {
	uint64_t nlives, nends;
	uint32_t groups, rings, ops[RUN_OP_COUNT];
	struct life_of_run life[MAX_LIVES];
	struct end end[MAX_ENDS];
};

extern struct ends *ends;

void ends_create(void);
void ends_attach(void);
void ends_count(enum run_op op);
// ends_print prints them as a JSON document.
void ends_print(void);

// life_prepare makes the life of a child of another life (NULL: of the coordinator),
// which is about to be cloned; life_starts is for the child, first thing.
struct life_of_run *life_prepare(const struct life_of_run *parent, uint64_t rng, int steps);
void life_starts(struct life_of_run *l);

// end_of writes the record of an end that is about to happen, and returns its number.
uint32_t end_of(const struct life_of_run *l, enum end_kind kind, const struct answer *can, int n);
// end_over says that an end has happened, and end_reaped that of a process's run.
void end_over(uint32_t number);
void end_reaped(pid_t pid);

#endif
