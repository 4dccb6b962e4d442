/* Philox4x32-10 (Salmon et al., SC 2011): the generator of src/random.ts, bit by bit. */
#ifndef SPIKEPORT_PHILOX_H
#define SPIKEPORT_PHILOX_H

#include <stdint.h>

/* Streams that the core draws from; the table is src/random.ts. */
#define PHILOX_STREAM_ENCODE 48u

/* The four words of (seed, step, stream, index). */
void philox_words(uint32_t seed, uint32_t step, uint32_t stream, uint32_t index, uint32_t words[4]);

#endif
