// SPDX-License-Identifier: Apache-2.0

// A process of runs: what each of its threads is in, what it does, and how it ends.
#ifndef RUNLIFE_H
#define RUNLIFE_H

#include "crew.h"
#include "ends.h"

struct run_thread {
	uint8_t depth;
	struct ll_mask handled;
};

// The life of this process, and its threads.
extern struct life_of_run *run_self;
extern struct run_thread run_threads[CREW_MAX];

// run_live goes on with a life in a new process, and run_resume in a new image.
void run_live(struct life_of_run *l) __attribute__((noreturn));
void run_resume(uint32_t life) __attribute__((noreturn));

// run_answer is what is true of the life if these members, a bit for each, count.
struct answer run_answer(uint32_t members);
uint32_t run_all(void);
// run_add_layer is what a restriction does to a thread, and run_restrict does it to the
// calling one.
void run_add_layer(struct run_thread *t, struct ll_mask mask);
void run_restrict(struct run_thread *t, struct ll_mask mask);
// run_leave ends the calling thread alone; another one takes the next step.
void run_leave(int me) __attribute__((noreturn));

// run_end begins to end the process in some way. It returns CREW_PARK; run_parked is for
// each thread then.
int run_end(int me);
void run_parked(int me) __attribute__((noreturn));

#endif
