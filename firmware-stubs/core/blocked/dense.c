/* dense of cores without SIMD: four units at a time share each input. */
#include "blocked.h"

#define UNITS 4u

void dense_blocked(const network_t *net, const node_t *node, uint8_t *arena, const uint8_t *prepared, uint8_t *scratch) {
  (void)prepared;
  (void)scratch;
  const dense_fields_t *f = node_fields(node);
  const emission_t emission = emission_of(net, node, sizeof *f, arena);
  const int8_t *x = (const int8_t *)network_value(net, arena, node->inputs[0]);
  const int8_t *weights = (const int8_t *)network_constant(net, f->weights);
  const int32_t *bias = bias_of(net, f->bias);
  for (uint32_t unit = 0; unit < f->units; unit += UNITS) {
    const uint32_t count = least_of(UNITS, f->units - unit);
    int32_t sums[UNITS] = {0};
    const int8_t *w[UNITS];
    for (uint32_t u = 0; u < UNITS; u++) { /* units that are not there repeat the first */
      w[u] = weights + (size_t)(unit + (u < count ? u : 0)) * f->input_size;
    }
    dense_dots(x, w, f->input_size, f->input_zero_point, sums);
    for (uint32_t u = 0; u < count; u++) {
      emit_one(&emission, unit + u, unit + u, sums[u] + (bias == NULL ? 0 : bias[unit + u]));
    }
  }
}
