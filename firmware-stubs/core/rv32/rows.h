/* What each operator runs on RV32: a table of operators lists those that a build links. */
#ifndef SPIKEPORT_ROWS_H
#define SPIKEPORT_ROWS_H

#include "../blocked/blocked.h"
#include "../blocked/general_rows.h"

#define ROW_DENSE {.verify = dense_verify, .run = dense_blocked}
#define ROW_CONV2D {.verify = conv2d_verify, .run = conv2d_blocked, .overlap = overlap_rows}
#define ROW_DEPTHWISE {.verify = depthwise_verify, .run = depthwise_blocked, .overlap = overlap_rows}
/* Instead of the row above, where every depthwise layer of a network fits depthwise_is_unit(). */
#define ROW_DEPTHWISE_UNIT {.verify = depthwise_unit_verify, .run = depthwise_unit, .overlap = overlap_rows}
#define ROW_AVERAGE_POOL {.verify = average_pool_verify, .run = average_pool_blocked, .overlap = overlap_rows}
#define ROW_MAX_POOL {.verify = max_pool_verify, .run = max_pool_s8, .overlap = overlap_rows}
#define ROW_ADD {.verify = add_verify, .run = add_blocked, .overlap = overlap_elementwise}
#define ROW_CONCAT {.verify = concat_verify, .run = concat_run}
#define ROW_RESHAPE {.verify = reshape_verify, .run = reshape_run, .overlap = overlap_elementwise}
#define ROW_RELU {.verify = relu_verify, .run = relu_s8, .overlap = overlap_elementwise}
#define ROW_SOFTMAX {.verify = softmax_verify, .run = softmax_f32}
#undef ROW_GENERAL_DENSE
#define ROW_GENERAL_DENSE {.verify = general_dense_verify, .run = general_dense_rows, .roundings = ROUNDING_BITS}
#undef ROW_GENERAL_CONV2D
#define ROW_GENERAL_CONV2D {.verify = general_conv2d_verify, .run = general_conv2d_rows, .overlap = overlap_rows, .roundings = ROUNDING_BITS}

#endif
