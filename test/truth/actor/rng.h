// SPDX-License-Identifier: Apache-2.0

// A generator with one word of state (splitmix64). A child's state is drawn
// from its parent's, so what a process does depends on the seed and on its
// place in the forest only, never on timing.
#ifndef RNG_H
#define RNG_H

#include <stdint.h>

static inline uint64_t rng_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

// rng_below returns a number in [0, n); the bias does not matter here.
static inline uint32_t rng_below(uint64_t *state, uint32_t n)
{
	return n ? (uint32_t)(rng_next(state) >> 32) % n : 0;
}

#endif
