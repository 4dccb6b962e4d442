/* General layers by rows of weights: one driver (general_rows.c) lays the inputs of an output position out, and inner loops of a chip or of SIMD128
   take 32 channels of it at a time. Same bytes as general_dense() and general_conv2d(), in the memory order of docs/arithmetic.md. */
#ifndef SPIKEPORT_GENERAL_ROWS_H
#define SPIKEPORT_GENERAL_ROWS_H

#include "../operators.h"

/* sums[r] += 32 words - 2 (bits that differ between x and row r of weights, which is `words` long), for r < rows: spare bits count as equal. */
void sign_dots(const uint32_t *x, const uint32_t *weights, uint32_t words, uint32_t rows, int32_t *sums);

/* The sum of x[i] where bit `at` + i of the packed weights is one, i < count. */
int32_t selected_sum(const int16_t *x, const uint32_t *weights, size_t at, uint32_t count);

/* sums[u] += sum over i < count of (x[i] - zero_point) * weights[u * step + i], for u < 4. */
void dense_dots(const int8_t *x, const int8_t *weights, size_t step, uint32_t count, int32_t zero_point, int32_t *sums);

DECLARE_RUN(general_dense_rows);
DECLARE_RUN(general_conv2d_rows);

#endif
