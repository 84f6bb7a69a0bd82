// SPDX-License-Identifier: Apache-2.0

// Runs: processes that end, each of which says what it was.
#ifndef RUNS_H
#define RUNS_H

#include <stdint.h>

// runs_play starts lives, quick ones too, waits until all of them have ended, and prints
// how. The descriptors from 3 on are the directories of so many cgroups, of v2 and then of
// v1; one that is no cgroup stands for none.
void runs_play(uint64_t seed, uint32_t lives, uint32_t quick, uint32_t groups);

#endif
