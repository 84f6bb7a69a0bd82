// SPDX-License-Identifier: Apache-2.0

// The steps of a process of the still forest.
#ifndef STEPS_H
#define STEPS_H

#include <stdint.h>

#include "table.h"

enum step {
	STEP_NONE,
	STEP_FORK,
	STEP_CLONE_PARENT,
	STEP_THREAD,
	STEP_RESTRICT,
	STEP_RESTRICT_ALL,
	STEP_EXEC,
	STEP_EXEC_THREAD,
	STEP_THREAD_EXIT,
	STEP_LEADER_EXIT,
	STEP_COMM,
	STEP_NNP,
	STEP_SECCOMP,
	STEP_SETRESUID,
	STEP_USERNS,
	STEP_SUBREAPER,
	STEP_RING,
	STEP_ROOT,
	STEP_ROOT_ALONE,
	STEP_MOUNT,
	STEP_RENAME,
	STEP_EXIT,
};

// self is the calling process's record; task_of that of a member.
extern struct proc *self;
struct task *task_of(int member);

// step_do does a step in thread me. It returns who has to do the same step
// next, or -1 if it is done.
int step_do(enum step step, int me);

// ns_inode returns the inode number of a namespace's link, 0 if unreadable.
uint64_t ns_inode(const char *link);

void forest_prepare_thread(int creator, int idx);
void forest_spawn(unsigned long flags, const struct proc *from, const struct task *creator,
		  uint64_t rng, uint32_t budget);

#endif
