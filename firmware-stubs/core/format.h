/* The flash file (.evn) as C sees it in memory: docs/eventnet.md is the law, these structs are its tables. Little-endian, every field aligned to
   its size, read in place. */
#ifndef SPIKEPORT_FORMAT_H
#define SPIKEPORT_FORMAT_H

#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the flash file is read in place: the core needs a little-endian machine"
#endif

#define EVN_VERSION 1u
#define EVN_MARK 0xfeffu
#define EVN_ALIGNMENT 16u
#define EVN_MAX_FILE_BYTES 0xfffffff0u
#define EVN_MAX_NODES 4096u
#define EVN_MAX_VALUES 8192u
#define EVN_MAX_PORTS 64u
#define EVN_MAX_ELEMENTS 0x10000000u
#define EVN_MAX_ARENA_BYTES 0x40000000u
/* valid taps of an average: the sum of 2^23 numbers of magnitude 255 fits int32 */
#define EVN_MAX_AVERAGE_TAPS 0x800000u
#define EVN_PLAN_ALIGNMENT 4u
/* a node field that names no value */
#define EVN_NO_VALUE 0xffffu
/* the most time steps of a run */
#define EVN_MAX_STEPS 65535u
/* bytes of inputs that a self-test may leave out */
#define EVN_MAX_MADE_INPUT 0x100000u
/* value_t.last of a network output, a state, or an input of a network with states */
#define EVN_FOREVER 0xffffu
/* header_t.rounding (docs/arithmetic.md) */
#define EVN_ROUNDING_SINGLE 0u
#define EVN_ROUNDING_TFLITE 1u

enum {
#define OPERATOR(name, code, text) OPERATOR_##name = code,
#include "../shared/operators.def"
#undef OPERATOR
  OPERATOR_LIMIT
};

enum {
#define EMISSION(name, code, text) EMISSION_##name = code,
#include "../shared/emissions.def"
#undef EMISSION
  EMISSION_LIMIT
};

enum {
#define VALUE_KIND(name, code, text) VALUE_KIND_##name = code,
#include "../shared/value-kinds.def"
#undef VALUE_KIND
  VALUE_KIND_LIMIT
};

enum { SECTION_GRAPH, SECTION_VALUES, SECTION_PLAN, SECTION_CONSTANTS, SECTION_TUNABLE, SECTION_NAMES, SECTION_SELF_TEST, SECTION_COUNT };

typedef struct {
  uint32_t kind;   /* its position in the table + 1 */
  uint32_t offset; /* from the start of the file, a multiple of 16 */
  uint32_t bytes;
  uint32_t reserved;
} section_t;

typedef struct {
  uint8_t magic[4];
  uint16_t version;
  uint16_t mark;
  uint32_t file_bytes;
  uint32_t crc32; /* of everything from byte 16 on */
  uint16_t rounding;
  uint16_t section_count;
  uint32_t node_count;
  uint32_t value_count;
  uint32_t arena_bytes;
  uint16_t input_count;
  uint16_t output_count;
  uint32_t steps; /* time steps of a run; 0 stands for 1 */
  uint32_t reserved[2];
  section_t sections[SECTION_COUNT];
} header_t;

typedef struct {
  uint8_t kind;
  uint8_t rank;
  uint16_t levels; /* kind level: the highest stair; otherwise 0 */
  uint16_t shape[4];
  float scale;
  int32_t zero_point;
  uint32_t byte_count;
  uint16_t first; /* 0: a network input or a state; n + 1: written by node n */
  uint16_t last;  /* n + 1: node n is the last to read it; EVN_FOREVER; first where nothing reads it */
  uint32_t state; /* 1: kept from step to step, all 0 when a run starts */
} value_t;

/* The head of a node record; the accumulator's fields follow, then the emission's. */
typedef struct {
  uint16_t operator;
  uint16_t emission;
  uint16_t record_bytes;
  uint16_t input_count;
  uint16_t output;
  uint16_t inputs[2]; /* unused: 0; concat lists all of its inputs in its fields */
  uint16_t reserved;
} node_t;

typedef struct {
  uint16_t input_height, input_width, input_channels;
  uint16_t output_height, output_width, output_channels;
  uint16_t kernel_height, kernel_width;
  uint16_t stride_y, stride_x;
  uint16_t dilation_y, dilation_x;
  uint16_t pad_top, pad_bottom, pad_left, pad_right;
} geometry_t;

typedef struct {
  uint32_t input_size;
  uint32_t units;
  int32_t input_zero_point;
  uint32_t weights; /* file offset: int8 [units, input_size] */
  uint32_t bias;    /* file offset: int32 [units]; 0: none */
} dense_fields_t;

typedef struct {
  geometry_t geometry;
  int32_t input_zero_point;
  uint32_t weights; /* file offset: int8 [out, kh, kw, in]; depthwise [kh, kw, out] */
  uint32_t bias;    /* file offset: int32 [out]; 0: none */
} conv_fields_t;

typedef struct {
  geometry_t geometry;
  int32_t input_zero_point;
} pool_fields_t;

/* A layer over inputs int8, level or binary with weights int8 or binary (packed as the type: bit i of word w is element 32 w + i). */
typedef struct {
  dense_fields_t layer;
  uint32_t weights_kind; /* VALUE_KIND_INT8 or VALUE_KIND_BINARY */
} general_dense_fields_t;

typedef struct {
  conv_fields_t layer;
  uint32_t weights_kind;
} general_conv_fields_t;

/* int32 numbers of spiking units: one for all, one a channel (the fastest axis) or one a unit. */
typedef struct {
  uint32_t values; /* file offset; 0: none */
  uint32_t count;
} parameter_t;

typedef struct {
  uint32_t count; /* units */
  uint16_t membrane, current; /* states; current EVN_NO_VALUE: none */
  uint16_t shift;             /* of the input, halves up */
  uint16_t subtracts;         /* 1: a spike takes the threshold off the membrane; 0: the membrane becomes reset_to */
  parameter_t leak;           /* 0..32768, times 2^-15 */
  parameter_t drive;          /* absent: 0 */
  parameter_t current_leak;   /* 0..32768 */
  parameter_t threshold;      /* 1..65535; absent: the units never fire and give their membranes */
  parameter_t reset_to;       /* absent: 0 */
} neuron_fields_t;

typedef struct {
  uint32_t count; /* elements of the input */
  uint16_t state; /* int32: the number of the step, or the references of a delta code */
  uint16_t code;  /* 0 rate, 1 latency, 2 delta */
  uint32_t seed;
  uint32_t table;    /* file offset: int32 [256], by stored input; 0: none (delta) */
  int32_t threshold; /* of delta, in stored steps of the input */
} encode_fields_t;

typedef struct {
  uint32_t steps;
  uint32_t slice_bytes;
  uint32_t counter; /* a state, int32 [1] */
} time_slice_fields_t;

typedef struct {
  uint32_t count;
  int16_t zero_point_a, zero_point_b;
  float scale_a, scale_b; /* input scale / output scale */
} add_fields_t;

typedef struct {
  uint32_t outer;       /* chunks of each input */
  uint32_t chunk_bytes; /* of the output: the sum over the inputs */
} concat_fields_t;

/* One for each input of a concat, behind concat_fields_t. */
typedef struct {
  uint16_t value;
  uint16_t reserved;
  uint32_t chunk_bytes;
} concat_part_t;

typedef struct {
  uint32_t byte_count;
} reshape_fields_t;

typedef struct {
  uint32_t count;
  int16_t low, high;
} relu_fields_t;

typedef struct {
  uint32_t rows;
  uint32_t count; /* elements of a row */
  float scale;
} softmax_fields_t;

/* rounding 'tflite': factors q * 2^(shift - 31), at most 1 */
typedef struct {
  uint32_t count;
  int16_t zero_point_a, zero_point_b;
  int32_t q_a, q_b;
  int16_t shift_a, shift_b;
} add_fixed_fields_t;

typedef struct {
  uint32_t rows;
  uint32_t count; /* elements of a row */
  int32_t q, shift; /* factor of score differences */
  int32_t least;  /* smaller differences have exp 0 */
} softmax_fixed_fields_t;

typedef struct {
  uint32_t scales;      /* file offset: float32 [scale_count]; rounding 'tflite': int32 q [scale_count], then int8 shift [scale_count] */
  uint32_t scale_count; /* 1 or the number of channels */
  int16_t zero_point, low, high, reserved;
} requantize_fields_t;

typedef struct {
  uint32_t scales; /* file offset: float32, entry i is for first_count + i valid taps */
  uint32_t scale_count;
  uint32_t first_count;
  int16_t zero_point, low, high, reserved;
} requantize_by_count_fields_t;

typedef struct {
  int16_t zero_point, low, high, reserved;
} round_fields_t;

typedef struct {
  uint32_t thresholds; /* file offset: int32 [channels, levels], ascending in each channel */
  uint32_t levels;
} thresholds_fields_t;

#endif
