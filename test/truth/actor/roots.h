// SPDX-License-Identifier: Apache-2.0

// Other root directories, other mounts, and what is moved on the way to a root.
#ifndef ROOTS_H
#define ROOTS_H

#include "landlock.h"

// Each returns without having happened, and uncounted, where the kernel forbids it.
void root_change(void);
void root_change_alone(void); // of this thread, and no other
void root_mount(void);
void root_rename(void);

// root_rules draws rules for a layer and returns their number, at most MAX_RULES.
// Their descriptors are the caller's to close.
#define MAX_RULES 2
int root_rules(struct ll_rule *rules, uint32_t handled);

#endif
