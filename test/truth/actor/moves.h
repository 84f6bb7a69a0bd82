// SPDX-License-Identifier: Apache-2.0

// What the processes of the moving forest do.
#ifndef MOVES_H
#define MOVES_H

#include <stdint.h>

#include "lives.h"

enum { FAMILY_ALWAYS, FAMILY_NEVER, FAMILY_MIXED };

const char *family_name(int family);
// family_enter takes a place in the family's population, which the manager gives
// back when it reaps; it returns 0 if there is none.
int family_enter(int family);

// life_begin clones a process, in a domain of this depth like its creator, and
// returns in the creator only.
void life_begin(unsigned long flags, int family, uint64_t rng, int depth);

#endif
