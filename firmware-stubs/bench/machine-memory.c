/* The mem* functions that the core and the compiler call: small, not fast. There is no libc, so that code size counts only what is ours. */
#include "../core/mem.h"

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
  unsigned char *at = to;
  const unsigned char *source = from;
  for (; count > 0; count--) {
    *at++ = *source++;
  }
  return to;
}

void *memmove(void *to, const void *from, size_t count) {
  if (to <= from) {
    return memcpy(to, from, count);
  }
  unsigned char *at = (unsigned char *)to + count;
  const unsigned char *source = (const unsigned char *)from + count;
  for (; count > 0; count--) {
    *--at = *--source;
  }
  return to;
}

void *memset(void *to, int byte, size_t count) {
  unsigned char *at = to;
  for (; count > 0; count--) {
    *at++ = (unsigned char)byte;
  }
  return to;
}

int memcmp(const void *a, const void *b, size_t count) {
  const unsigned char *x = a, *y = b;
  for (; count > 0; count--, x++, y++) {
    if (*x != *y) {
      return *x < *y ? -1 : 1;
    }
  }
  return 0;
}
