// SPDX-License-Identifier: Apache-2.0

// The ways to begin a process of runs.
#ifndef RUNCLONE_H
#define RUNCLONE_H

#include "ends.h"

enum run_way {
	WAY_FORK,
	WAY_PARENT,
	WAY_CGROUP,
	WAY_MEMORY,
	WAY_HANDLERS,
	WAY_VFORK_EXEC,
	WAY_VFORK_EXIT,
	RUN_WAYS,
};

// run_clone begins a process in some way. what is of the calling thread.
struct run_thread;
void run_clone(enum run_way way, const struct run_thread *creator);

// run_move_to moves the calling process to a cgroup.
void run_move_to(struct life_of_run *l, int group);
// run_launch executes one of the executables in the life's next image, where what is true
// of the one that ends is given.
void run_launch(struct life_of_run *l, struct answer a, int exe);
// run_exec is that without a record.
void run_exec(const struct life_of_run *l, int exe);
// run_alone is what is true of a life that has one thread.
struct answer run_alone(const struct life_of_run *l);

#endif
