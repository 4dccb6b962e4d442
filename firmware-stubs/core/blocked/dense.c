/* dense of a chip: four units at a time share each input. */
#include "blocked.h"

void dense_blocked(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const dense_fields_t *f = node_fields(node);
  const emission_t emission = emission_of(net, node, sizeof *f, arena);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *weights = (const int8_t *)network_constant(net, f->weights);
  const int32_t *bias = bias_of(net, f->bias);
  /* the last four units overlap those before; fewer than four are taken one by one, each four times */
  const uint32_t together = f->units < DENSE_UNITS ? 1 : DENSE_UNITS;
  for (uint32_t next = 0; next < f->units; next += together) {
    const uint32_t unit = least_of(next, f->units - together);
    int32_t sums[DENSE_UNITS] = {0};
    dense_dots(x, weights + (size_t)unit * f->input_size, together == 1 ? 0 : f->input_size, f->input_size, f->input_zero_point, sums);
    for (uint32_t u = unit; u < unit + together; u++) {
      emit_one(&emission, u, u, sums[u - unit] + (bias == NULL ? 0 : bias[u]));
    }
  }
}
