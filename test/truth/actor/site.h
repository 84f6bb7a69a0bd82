// SPDX-License-Identifier: Apache-2.0

// The site: directories that processes have as their roots and make rules on.
//
//	free/          where those with the host's root try what they may do: no rule
//	               is on it or on anything between it and the host's root
//	deep/d/d/...   a root far down
//	slots/N/       one process's own: a/b/c, each of which can be a root, and
//	               z, m and n, where things are moved and mounted
#ifndef SITE_H
#define SITE_H

#include <stddef.h>
#include <stdint.h>

// The files in each directory that can be a root. No other root directory has them.
#define SITE_FILE "truth-file"
#define SITE_PROGRAM "truth-program" // which no kernel can execute

enum { SITE_SLOT, SITE_A, SITE_B, SITE_C, SITE_LEVELS };

// site_make makes the site in a directory, for the coordinator.
void site_make(const char *path, uint32_t slots);
// site_rooted reports whether the calling thread's root is one of the site's.
int site_rooted(void);

// site_level writes where a level of the calling process's slot is now, relative
// to the site.
void site_level(char *buf, size_t n, int level);
// site_deep writes where the root far down is.
void site_deep(char *buf, size_t n);
// site_open opens a directory of the site (O_PATH).
int site_open(const char *path);

#endif
