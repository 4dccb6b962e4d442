/* The table of operators of the wasm build. */
#include "../operators.h"

static const operator_t SIMD128[OPERATOR_LIMIT] = {
    [OPERATOR_DENSE] = {.verify = dense_verify, .run = dense_s8},
    [OPERATOR_CONV2D] = {.verify = conv2d_verify, .run = conv2d_s8, .overlap = overlap_rows},
    [OPERATOR_DEPTHWISE] = {.verify = depthwise_verify, .run = depthwise_s8, .overlap = overlap_rows},
    [OPERATOR_AVERAGE_POOL] = {.verify = average_pool_verify, .run = average_pool_s8, .overlap = overlap_rows},
    [OPERATOR_MAX_POOL] = {.verify = max_pool_verify, .run = max_pool_s8, .overlap = overlap_rows},
    [OPERATOR_ADD] = {.verify = add_verify, .run = add_s8, .overlap = overlap_elementwise},
    [OPERATOR_CONCAT] = {.verify = concat_verify, .run = concat_run},
    [OPERATOR_RESHAPE] = {.verify = reshape_verify, .run = reshape_run, .overlap = overlap_elementwise},
    [OPERATOR_RELU] = {.verify = relu_verify, .run = relu_s8, .overlap = overlap_elementwise},
    [OPERATOR_SOFTMAX] = {.verify = softmax_verify, .run = softmax_f32},
};

const operator_t *operator_find(uint16_t code) {
  return code < OPERATOR_LIMIT && SIMD128[code].verify != NULL ? &SIMD128[code] : NULL;
}

uint32_t operator_batch_rows(void) {
  return 1;
}
