// SPDX-License-Identifier: Apache-2.0

// The shared table: every process writes what is true of itself, the
// coordinator reads it once nobody moves any more.
#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>

#include "crew.h"
#include "landlock.h"

#define MAX_PROCS 2048
#define MAX_TASKS (MAX_PROCS * 4)
#define MAX_LAYERS 32768

// OPS are the kinds of operation, counted when they have succeeded. The test
// demands that each occurs, where this kernel and this user can do it.
#define OPS(X)                                                                                    \
	X(fork)                                                                                   \
	X(clone_parent)                                                                           \
	X(thread)                                                                                 \
	X(thread_exit)                                                                            \
	X(leader_exit)                                                                            \
	X(process_exit)                                                                           \
	X(process_exit_with_children)                                                             \
	X(process_exit_with_threads)                                                              \
	X(restrict_single)                                                                        \
	X(restrict_leader)                                                                        \
	X(restrict_thread)                                                                        \
	X(restrict_all_threads)                                                                   \
	X(restrict_to_limit)                                                                      \
	X(restrict_beyond_limit)                                                                  \
	X(restrict_with_no_new_privs)                                                             \
	X(restrict_with_capability)                                                               \
	X(mask_fs)                                                                                \
	X(mask_net)                                                                               \
	X(mask_scope)                                                                             \
	X(mask_mixed)                                                                             \
	X(exec)                                                                                   \
	X(exec_with_threads)                                                                      \
	X(exec_from_thread)                                                                       \
	X(exec_from_thread_with_siblings)                                                         \
	X(exec_after_leader_exit)                                                                 \
	X(comm)                                                                                   \
	X(no_new_privs)                                                                           \
	X(seccomp)                                                                                \
	X(setresuid)                                                                              \
	X(setresuid_of_thread)                                                                    \
	X(no_new_privs_of_thread)                                                                 \
	X(seccomp_of_thread)                                                                      \
	X(user_namespace)                                                                         \
	X(subreaper)                                                                              \
	X(ring)                                                                                   \
	X(ring_after_restrict)                                                                    \
	X(restrict_after_ring)                                                                    \
	X(root)                                                                                   \
	X(root_deep)                                                                              \
	X(root_of_thread)                                                                         \
	X(root_mounted)                                                                           \
	X(mount_namespace)                                                                        \
	X(bind_mount)                                                                             \
	X(rename)                                                                                 \
	X(rule_on_top)                                                                            \
	X(rule_above)                                                                             \
	X(rule_far_above)                                                                         \
	X(rule_beside)                                                                            \
	X(rule_in_slot_before_root)                                                               \
	X(rule_in_slot_after_root)

enum op_kind {
#define X(name) OP_##name,
	OPS(X)
#undef X
	OP_COUNT
};

struct task {
	int32_t tid;
	uint8_t live, nnp, seccomp, depth;
	uint32_t uid; // effective, in the first user namespace
	uint32_t layers[LL_MAX_DEPTH]; // outermost first; numbers of struct ll_mask
	// The task was created between these two, CLOCK_BOOTTIME.
	uint64_t born_from, born_to;
	char comm[16];
	int32_t ppid; // as the task itself sees it in the end
	// The rights to files that it tried in its root in the end, and those of
	// them that it was denied.
	uint32_t tried, denied;
};

#define MAX_RINGS 3

// A ring of io_uring, and the domain of its worker: that of whoever made it.
struct ring {
	int32_t fd, tid;
	uint32_t depth, layers[LL_MAX_DEPTH];
	uint64_t born_from, born_to;
};

struct proc {
	int32_t tgid, creator;
	uint64_t userns;
	uint8_t gone, leader_gone;
	char exe[32];
	// task of each member of the crew, -1 for none.
	int16_t task[CREW_MAX];
	// What is left to do; it lives here since it has to survive an exec.
	uint64_t rng;
	uint32_t budget, children;
	int16_t steps;
	uint8_t op, then, subreaper;
	// Its own directories of the site, or -1, and which of them are where.
	int32_t slot;
	// What it or an ancestor mounted (O_PATH), or -1.
	int32_t mount_fd;
	uint8_t a_moved, b_moved, b_stays;
	uint8_t nrings;
	struct ring ring[MAX_RINGS];
};

struct table {
	char failed[200];
	int32_t coordinator;
	uint64_t nprocs, ntasks, nlayers;
	// Processes that still act, and tasks that have reported in the end.
	uint32_t acting, reported;
	// churn: everybody ends; live processes of each family.
	uint32_t stop;
	int32_t population[3];
	uint32_t limit;
	struct ll_mask rights;
	int32_t abi;
	// The site, its slots and how many of them are taken.
	char site[400];
	uint32_t slots;
	uint64_t nslots;
	// Whether rings can be made here, and the rights that can be tried.
	uint32_t rings, can_try;
	uint64_t userns; // of the coordinator
	uint32_t ops[OP_COUNT];
	struct ll_mask layer[MAX_LAYERS]; // from 1
	struct proc proc[MAX_PROCS];
	struct task task[MAX_TASKS];
};

extern struct table *table;

void table_create(void);
void table_attach(void);

// take returns the next number of a counter and dies beyond the limit.
uint64_t table_take(uint64_t *counter, uint64_t limit);
void table_count(enum op_kind op);

#endif
