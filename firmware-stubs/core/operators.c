/* The table of operators with plain kernels: the definition in C, and what a chip without kernels of its own links. */
#include "operators.h"

static const operator_t PLAIN[OPERATOR_LIMIT] = {
    [OPERATOR_DENSE] = {.verify = dense_verify, .run = dense_s8, .roundings = ROUNDING_BITS},
    [OPERATOR_CONV2D] = {.verify = conv2d_verify, .run = conv2d_s8, .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_DEPTHWISE] = {.verify = depthwise_verify, .run = depthwise_s8, .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_AVERAGE_POOL] = {.verify = average_pool_any_verify, .run = average_pool_s8, .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_MAX_POOL] = {.verify = max_pool_verify, .run = max_pool_s8, .overlap = overlap_rows, .roundings = ROUNDING_BITS},
    [OPERATOR_ADD] = {.verify = add_verify, .run = add_s8, .overlap = overlap_elementwise},
    [OPERATOR_CONCAT] = {.verify = concat_verify, .run = concat_run, .roundings = ROUNDING_BITS},
    [OPERATOR_RESHAPE] = {.verify = reshape_verify, .run = reshape_run, .overlap = overlap_elementwise, .roundings = ROUNDING_BITS},
    [OPERATOR_RELU] = {.verify = relu_verify, .run = relu_s8, .overlap = overlap_elementwise, .roundings = ROUNDING_BITS},
    [OPERATOR_SOFTMAX] = {.verify = softmax_verify, .run = softmax_f32},
    [OPERATOR_ADD_FIXED] = {.verify = add_fixed_verify, .run = add_fixed_s8, .overlap = overlap_elementwise, .roundings = ROUNDING_BIT(EVN_ROUNDING_TFLITE)},
    [OPERATOR_SOFTMAX_FIXED] = {.verify = softmax_fixed_verify, .run = softmax_fixed_s8, .roundings = ROUNDING_BIT(EVN_ROUNDING_TFLITE)},
    [OPERATOR_GENERAL_DENSE] = ROW_GENERAL_DENSE,
    [OPERATOR_GENERAL_CONV2D] = ROW_GENERAL_CONV2D,
    [OPERATOR_GENERAL_DEPTHWISE] = ROW_GENERAL_DEPTHWISE,
    [OPERATOR_GENERAL_MAX_POOL] = ROW_GENERAL_MAX_POOL,
    ROWS_OVER_TIME,
};

const operator_t *operator_find(uint16_t code) {
  return code < OPERATOR_LIMIT && PLAIN[code].verify != NULL ? &PLAIN[code] : NULL;
}

uint32_t operator_batch_rows(void) {
  return 1;
}
