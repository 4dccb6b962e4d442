/* Costs of single units (docs/polystep.md): for each sample a cached forward pass, then the change of the loss when one sum of a layer is shifted,
   followed by what changes downstream only. Integers throughout, no heap: the caller gives the program, its data and the memory. The TypeScript
   engine in src/tune/units is the definition; every number here equals its. */
#ifndef SPIKEPORT_TUNE_H
#define SPIKEPORT_TUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNE_VERSION 1
#define TUNE_MAX_NODES 32
#define TUNE_MAX_VALUES 64
#define TUNE_MAX_INPUTS 4
#define TUNE_MAX_CLASSES 1024
/* unit losses saturate here, 8 nats */
#define TUNE_LARGEST_UNIT_LOSS 32767
/* 255 * 32767 * 256 is below 2^31: so many products are summed in int32 before they move to int64 */
#define TUNE_FLUSH 256

enum { TUNE_LINEAR = 1, TUNE_PASS = 2, TUNE_MAX_POOL = 3 };
enum { TUNE_EMIT_NONE = 0, TUNE_EMIT_REQUANTIZE = 1 };
enum { TUNE_OK = 0, TUNE_BAD_PROGRAM = 1, TUNE_NO_MEMORY = 2 };

/* The program: these words, then the length of each value, the network inputs, and the nodes. All int32. */
typedef struct {
  int32_t version, node_count, value_count, input_count, scores;
  int32_t factor, shift, smoothing; /* the loss, as src/tune/units/cross-entropy.ts has it */
} tune_head_t;

/* Data offsets are in bytes, multiples of 4. A pool has positions = windows, taps = pixels of a window. */
typedef struct {
  int32_t kind, input, output, zero_point;
  int32_t positions, channels, taps;
  int32_t emission, out_zero_point, low, high;
  int32_t scales;   /* float32 [channels] */
  int32_t input_of; /* int32 [positions, taps]: element read, -1 in the padding */
  int32_t starts;   /* int32 [input length + 1] */
  int32_t readers;  /* int32: position * taps + tap */
  int32_t is_probed, radius_shift, input_unit, stride;
} tune_node_t;

typedef struct {
  int32_t count;
  int32_t *indices, *elements;
} tune_delta_t;

typedef struct {
  const tune_node_t *def;
  int32_t row; /* channels rounded up to 8 */
  const float *scales;
  const int32_t *input_of, *starts, *readers;
  int16_t *weights; /* [taps, row] */
  int32_t *bias;    /* [row] */
  int32_t *sums, *moved;      /* [positions, row] */
  int16_t *below, *above;     /* [positions, row]: changes of a sum from below to above surely keep its output */
  int32_t *touched, *stamps;  /* [positions] */
  int32_t *used_taps, *used_inputs; /* [taps] */
  int32_t touched_count, stamp;
  bool has_ranges;
  /* probed layers: losses and costs of up, then of down */
  int32_t *losses, *swapped; /* [2, row] */
  int32_t *costs;            /* [taps + 1, 2, row] */
  int64_t *totals;           /* [taps + 1, 2, row] */
  int32_t pending;
} tune_layer_t;

typedef struct {
  int64_t loss, correct, evaluations, macs;
} tune_counts_t;

typedef struct {
  const tune_head_t *head;
  const int32_t *lengths, *inputs;
  tune_layer_t layers[TUNE_MAX_NODES];
  int32_t *elements[TUNE_MAX_VALUES];
  tune_delta_t deltas[TUNE_MAX_VALUES];
  int32_t *moved_scores;
  int32_t classes, label, base;
  bool scores_moved;
  tune_counts_t counts;
} tune_t;

/* Bytes of memory that a program needs, a multiple of 16; 0: the program is not valid. */
size_t tune_memory_bytes(const int32_t *program, size_t words, const uint8_t *data, size_t data_bytes);

/* Verifies a program completely and lays `memory` (aligned to 16) out. Program and data stay where they are. */
int tune_init(tune_t *t, const int32_t *program, size_t words, const uint8_t *data, size_t data_bytes, uint8_t *memory, size_t memory_bytes);

/* Constants of a linear node, as the network stores them: weights [channels, taps], bias [channels] or NULL. */
void tune_set_constants(tune_t *t, int32_t node, const int8_t *weights, const int32_t *bias);

/* Costs and counters to zero. */
void tune_start(tune_t *t);

/* Adds one sample: its inputs one after the other, its label (0 <= label < classes), and the first position of each node, < its stride. */
void tune_sample(tune_t *t, const int8_t *inputs, int32_t label, const int32_t *first_positions);

/* Brings all costs into `totals`. */
void tune_finish(tune_t *t);

/* The cross-entropy of scores in 1 / 4096 nats. */
int32_t tune_cross_entropy(const tune_head_t *head, const int32_t *scores, int32_t classes, int32_t label);

#endif
