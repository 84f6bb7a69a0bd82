// SPDX-License-Identifier: Apache-2.0

// Processes whose root directories others move.
#ifndef SWING_H
#define SWING_H

// swing_start makes the site SITE/{a,z} and, in a, the directory "moved" with a
// root at some depths below it, puts processes there and prints them. Each is in
// one layer that handles two rights: to read files, which a rule on a allows, and
// to write them, which one on z allows.
void swing_start(const char *site);

#endif
