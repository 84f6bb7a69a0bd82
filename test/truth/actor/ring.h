// SPDX-License-Identifier: Apache-2.0

// Rings of io_uring that have a thread of the kernel's: a worker that acts as
// whoever made the ring.
#ifndef RING_H
#define RING_H

#include "table.h"

// ring_works reports whether this kernel makes such rings for the caller.
int ring_works(void);
// ring_setup makes one and returns its descriptor, or a negative number.
int ring_setup(void);
// ring_make makes one in the calling thread, if that works.
void ring_make(struct proc *p, const struct task *t);
// ring_find fills in the numbers of a process's workers, and reports whether the
// kernel tells all of them at this moment. tid is a live thread.
int ring_find(struct proc *p, int tid);

#endif
