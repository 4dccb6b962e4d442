/* The table of operators of the wasm build: SIMD128 kernels where there are any. */
#include "simd128.h"

/* run, prepare_bytes, prepare and scratch_bytes of a kernel with prepared constants. */
#define PREPARED(name) .run = name, .prepare_bytes = name##_prepare_bytes, .prepare = name##_prepare, .scratch_bytes = name##_scratch_bytes

static const operator_t SIMD128[OPERATOR_LIMIT] = {
    [OPERATOR_DENSE] = {.verify = dense_verify, PREPARED(dense_simd), .run_rows = dense_simd_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_CONV2D] = {.verify = conv2d_verify, PREPARED(conv2d_simd), .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_DEPTHWISE] = {.verify = depthwise_verify, PREPARED(depthwise_simd), .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_AVERAGE_POOL] = {.verify = average_pool_any_verify, .run = average_pool_simd, .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_MAX_POOL] = {.verify = max_pool_verify, .run = max_pool_simd, .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_ADD] = {.verify = add_verify, .run = add_simd, .overlap = overlap_elementwise},
    [OPERATOR_CONCAT] = {.verify = concat_verify, .run = concat_run, .roundings = ROUNDING_BITS},
    [OPERATOR_RESHAPE] = {.verify = reshape_verify, .run = reshape_run, .overlap = overlap_elementwise, .roundings = ROUNDING_BITS},
    [OPERATOR_RELU] = {.verify = relu_verify, .run = relu_simd, .overlap = overlap_elementwise, .roundings = ROUNDING_BITS},
    [OPERATOR_SOFTMAX] = {.verify = softmax_verify, .run = softmax_f32},
    [OPERATOR_ADD_FIXED] = {.verify = add_fixed_verify, .run = add_fixed_s8, .overlap = overlap_elementwise, .roundings = ROUNDING_BIT(EVN_ROUNDING_TFLITE)},
    [OPERATOR_SOFTMAX_FIXED] = {.verify = softmax_fixed_verify, .run = softmax_fixed_s8, .roundings = ROUNDING_BIT(EVN_ROUNDING_TFLITE)},
    [OPERATOR_GENERAL_DENSE] = {.verify = general_dense_verify, .run = general_dense_simd, .roundings = ROUNDING_BITS},
    [OPERATOR_GENERAL_CONV2D] = {.verify = general_conv2d_verify, .run = general_conv2d_simd, .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_GENERAL_DEPTHWISE] = ROW_GENERAL_DEPTHWISE,
    [OPERATOR_GENERAL_MAX_POOL] = ROW_GENERAL_MAX_POOL,
    ROWS_OVER_TIME,
};

const operator_t *operator_find(uint16_t code) {
  return code < OPERATOR_LIMIT && SIMD128[code].verify != NULL ? &SIMD128[code] : NULL;
}

uint32_t operator_batch_rows(void) {
  return 8;
}
