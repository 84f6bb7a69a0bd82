// SPDX-License-Identifier: Apache-2.0

// What a thread may do in its root directory, by doing it.
#ifndef TRY_H
#define TRY_H

#include <stdint.h>

// try_rights returns those of the wanted rights that it tried (LANDLOCK_ACCESS_FS_*)
// and stores those of them that were denied.
uint32_t try_rights(uint32_t wanted, uint32_t *denied);

#endif
