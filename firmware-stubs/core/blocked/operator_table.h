/* The table of a build with every operator and how it is searched, from the rows (rows.h) of the chip that includes it. Included once a build,
   by <chip>/operators.c; a build for one network makes a table of its own. */
#ifndef SPIKEPORT_OPERATOR_TABLE_H
#define SPIKEPORT_OPERATOR_TABLE_H

#include "../operators.h"

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
    [OPERATOR_GENERAL_DENSE] = ROW_GENERAL_DENSE,
    [OPERATOR_GENERAL_CONV2D] = ROW_GENERAL_CONV2D,
    [OPERATOR_GENERAL_DEPTHWISE] = ROW_GENERAL_DEPTHWISE,
    [OPERATOR_GENERAL_MAX_POOL] = ROW_GENERAL_MAX_POOL,
    ROWS_OVER_TIME,
};

const operator_t *operator_find(uint16_t code) {
  return code < OPERATOR_LIMIT && OPERATORS[code].verify != NULL ? &OPERATORS[code] : NULL;
}

uint32_t operator_batch_rows(void) {
  return 1;
}

#endif
