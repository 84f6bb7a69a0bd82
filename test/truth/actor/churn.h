// SPDX-License-Identifier: Apache-2.0

// The moving forest: three families of processes that clone, execute, restrict
// themselves and end as fast as the host can. A family is told by its comm.
//
//	ld-always  sandboxed before it has the name, in every task, at all times
//	ld-never   never sandboxed
//	ld-mixed   from one state to another, thread by thread, with a record
#ifndef CHURN_H
#define CHURN_H

#include <stdint.h>

// churn_start starts the families; limit is the number of processes, zombies
// included, that there are at most.
void churn_start(uint64_t seed, uint32_t limit);
// churn_manage is a family's manager, in the image that has the family's name.
void churn_manage(int family, uint64_t seed) __attribute__((noreturn));
// churn_resume goes on with a life (life_token) in a new image, in a domain of
// this depth.
void churn_resume(uint64_t token, int depth) __attribute__((noreturn));

#endif
