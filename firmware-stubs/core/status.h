/* Status codes (shared/status.def) and the check that returns one. */
#ifndef SPIKEPORT_STATUS_H
#define SPIKEPORT_STATUS_H

typedef enum {
#define STATUS(name, code, text) STATUS_##name = code,
#include "../shared/status.def"
#undef STATUS
} status_t;

/* For input we do not control: leaves the function with `status` unless `claim` holds. Stays in release builds. */
#define VERIFY(claim, status) \
  do {                        \
    if (!(claim)) {           \
      return (status);        \
    }                         \
  } while (0)

/* Passes a failure on. */
#define TRY(call)                  \
  do {                             \
    const status_t tried = (call); \
    if (tried != STATUS_OK) {      \
      return tried;                \
    }                              \
  } while (0)

#endif
