/* The table of operators of an MVE build with every operator. */
#include "rows.h"

static const operator_t OPERATORS[OPERATOR_LIMIT] = {
    [OPERATOR_DENSE] = ROW_DENSE,
    [OPERATOR_CONV2D] = ROW_CONV2D,
    [OPERATOR_DEPTHWISE] = ROW_DEPTHWISE,
    [OPERATOR_AVERAGE_POOL] = ROW_AVERAGE_POOL,
    [OPERATOR_MAX_POOL] = ROW_MAX_POOL,
    [OPERATOR_ADD] = ROW_ADD,
    [OPERATOR_CONCAT] = ROW_CONCAT,
    [OPERATOR_RESHAPE] = ROW_RESHAPE,
    [OPERATOR_RELU] = ROW_RELU,
    [OPERATOR_SOFTMAX] = ROW_SOFTMAX,
};

const operator_t *operator_find(uint16_t code) {
  return code < OPERATOR_LIMIT && OPERATORS[code].verify != NULL ? &OPERATORS[code] : NULL;
}

uint32_t operator_batch_rows(void) {
  return 1;
}
