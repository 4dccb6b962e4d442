/* The four functions of <string.h> that the core uses, declared here because a freestanding toolchain may have no libc headers. */
#ifndef SPIKEPORT_MEM_H
#define SPIKEPORT_MEM_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);

#endif
