// SPDX-License-Identifier: Apache-2.0

// The still forest: processes grow from a seed, park, report and wait.
#ifndef FOREST_H
#define FOREST_H

#include <stdint.h>

// forest_plant grows the forest below the coordinator, with a site in an empty
// directory that every user may enter.
void forest_plant(uint64_t seed, uint32_t processes, const char *site);
// forest_resume goes on in a new image.
void forest_resume(int proc, int task) __attribute__((noreturn));
// forest_report prints the truth as one JSON document.
void forest_report(void);

#endif
